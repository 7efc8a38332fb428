using Portico.Protocol.Secrets;
using Portico.Protocol.WebProxy;
using Xunit;

namespace Portico.Protocol.Tests.WebProxy;

public class WebProxyLinkTests
{
    private const string Key = "000102030405060708090a0b0c0d0e0f";

    private static readonly Dictionary<string, WebLinkError> Errors = new()
    {
        ["not_webproxy"] = WebLinkError.NotWebProxy,
        ["bad_address"] = WebLinkError.BadAddress,
        ["unmarked_secret_with_path"] = WebLinkError.UnmarkedSecretWithPath,
        ["secret_unsupported"] = WebLinkError.SecretUnsupported,
        ["secret_invalid"] = WebLinkError.SecretInvalid,
    };

    public static TheoryData<int> Printed => WebVectors.Indexes("links", "print");

    public static TheoryData<int> Parsed => WebVectors.Indexes("links", "parse");

    [Theory]
    [MemberData(nameof(Printed))]
    public void Links_are_printed_as_recorded(int index)
    {
        var item = WebVectors.Cases("links", "print")[index];
        var address = WebVectors.Address(item.Text("host"), item.Text("path"));
        var (kind, secret) = WebVectors.Key(item.Hex("key"));

        Assert.Equal(item.Text("tg"), WebProxyLink.Tg(address, kind, secret));
        Assert.Equal(item.Text("tme"), WebProxyLink.TMe(address, kind, secret));
    }

    [Theory]
    [MemberData(nameof(Parsed))]
    public void Links_are_read_as_apps_read_them(int index)
    {
        var item = WebVectors.Cases("links", "parse")[index];
        var expected = item.GetProperty("expected");

        var isRead = WebProxyLink.TryParse(item.Text("link"), out var address, out var secret, out var error);

        if (expected.TextOrNull("error") is { } refusal)
        {
            Assert.Equal((false, Errors[refusal]), (isRead, error));
            Assert.Null(address);
            Assert.Null(secret);
            return;
        }

        Assert.Equal((true, WebLinkError.None), (isRead, error));
        Assert.Equal(WebVectors.Address(expected.Text("host"), expected.Text("path")), address);
        Assert.Equal(WebVectors.Key(expected.Hex("key")), (secret!.Kind, secret.Secret));
        Assert.Equal(expected.Text("capability"), Capability.Compute(address!, secret.Kind, secret.Secret));
    }

    [Theory]
    [InlineData("tg:webproxy?secret=" + Key + "&server=a.example")]
    [InlineData("t.me/webproxy?server=a.example&amp;secret=" + Key)]
    [InlineData(" https://telegram.me/webproxy/?server=a.example&secret=" + Key + "#x ")]
    [InlineData("tg://webproxy?server=&host=a.example&secret=" + Key)]
    public void Links_in_other_spellings_are_read(string link)
    {
        Assert.True(WebProxyLink.TryParse(link, out var address, out var secret, out _));
        Assert.Equal("a.example", address.ToString());
        Assert.Equal(Vectors.Hex(Key), secret.Secret.Key);
    }

    [Fact]
    public void An_app_that_knows_no_paths_asks_for_an_update_when_it_finds_a_marked_secret()
    {
        var link = WebProxyLink.Tg(WebVectors.Address("a.example", "app"), SecretKind.Simple, ProxySecret.Create(Vectors.Hex(Key)));
        var marked = link[(link.LastIndexOf('=') + 1)..];

        Assert.Equal(WebSecretStatus.Unsupported, WebSecretText.Read(marked, out _));
        Assert.False(SecretText.TryParse(marked, out _, out _));
    }

    [Fact]
    public void Every_error_has_a_sentence_of_its_own()
    {
        var sentences = Enum.GetValues<WebLinkError>().Select(WebProxyLink.Explain).ToList();

        Assert.Equal(sentences.Count, sentences.Distinct().Count());
        Assert.All(sentences, sentence => Assert.EndsWith(sentence.Contains("t.me", StringComparison.Ordinal) ? "..." : ".", sentence));
    }
}
