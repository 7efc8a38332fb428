using System.Buffers.Binary;
using Portico.Protocol.WebProxy;
using Xunit;

namespace Portico.Protocol.Tests.WebProxy;

public class WebTokenKeyTests
{
    public static TheoryData<int> Minted => WebVectors.Indexes("tokens", "make");

    public static TheoryData<int> Classified => WebVectors.Indexes("tokens", "classify");

    internal static WebTokenKey Recorded => WebTokenKey.Create(Vectors.Load("web_proxy.json").GetProperty("tokens").Hex("sign_key"));

    [Theory]
    [MemberData(nameof(Minted))]
    public void Tokens_are_made_as_recorded_and_read_back(int index)
    {
        var item = WebVectors.Cases("tokens", "make")[index];
        var kind = (WebTokenKind)item.GetProperty("kind").GetInt32();
        var random = item.Hex("nonce");

        var text = Recorded.Mint(kind, random);

        Assert.Equal(item.Text("token"), text);
        Assert.True(Recorded.TryRead(text, out var token));
        Assert.Equal(new WebToken(kind, BinaryPrimitives.ReadUInt128BigEndian(random)), token);
    }

    [Theory]
    [MemberData(nameof(Classified))]
    public void Texts_are_told_apart_as_recorded(int index)
    {
        var item = WebVectors.Cases("tokens", "classify")[index];

        var isOurs = Recorded.TryRead(item.Text("text"), out var token);

        Assert.Equal(item.Text("expected"), isOurs ? token.Kind.ToString().ToLowerInvariant() : "none");
    }

    [Fact]
    public void A_token_with_one_character_changed_is_none()
    {
        var text = Recorded.Mint(WebTokenKind.Session, new byte[WebTokenKey.RandomLength]);

        for (var at = 0; at < text.Length; at++)
            foreach (var other in "AQEgw8-_=+ ")
                if (other != text[at])
                    Assert.False(Recorded.TryRead(text[..at] + other + text[(at + 1)..], out _));
        for (var length = 0; length < text.Length; length++)
            Assert.False(Recorded.TryRead(text.AsSpan(0, length), out _));
        Assert.False(Recorded.TryRead(text + "A", out _));
        Assert.False(Recorded.TryRead("\u0130" + text[1..], out _));
    }

    [Fact]
    public void Another_key_does_not_know_a_token()
    {
        var other = WebTokenKey.Create(new byte[WebTokenKey.Length]);

        Assert.False(other.TryRead(Recorded.Mint(WebTokenKind.Bootstrap, new byte[16]), out _));
        Assert.Throws<ArgumentException>(() => WebTokenKey.Create(new byte[31]));
        Assert.Equal("[key]", other.ToString());
    }

    [Fact]
    public void Reading_a_token_allocates_nothing()
    {
        var key = Recorded;
        var text = key.Mint(WebTokenKind.Session, new byte[16]);
        key.TryRead(text, out _);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10; i++)
            Assert.True(key.TryRead(text, out _));
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
