using Portico.Protocol.FakeTls;
using Xunit;

namespace Portico.Protocol.Tests.FakeTls;

/// <summary>Extensions the vectors do not show: lists that do not add up, and repeated ones.</summary>
public class ClientHelloTests
{
    private static readonly byte[] A = [.. Enumerable.Repeat((byte)0xa1, 32)];

    private static readonly byte[] B = [.. Enumerable.Repeat((byte)0xb2, 32)];

    [Fact]
    public void Of_repeated_extensions_and_shares_the_first_counts()
    {
        var hello = Parse(
            Extension(0, Name("one.example")), Extension(0x33, List(Share(A), Share(B))),
            Extension(0, Name("two.example")), Extension(0x33, List(Share(B))));
        Assert.Equal("one.example"u8, hello.Sni);
        Assert.Equal(A, hello.X25519Share.ToArray());
    }

    [Fact]
    public void An_empty_first_extension_is_not_made_good_by_a_second()
    {
        var hello = Parse(Extension(0, []), Extension(0, Name("two.example")), Extension(0x33, []), Extension(0x33, List(Share(B))));
        Assert.True(hello.Sni.IsEmpty);
        Assert.True(hello.HasKeyShareExtension);
        Assert.True(hello.X25519Share.IsEmpty);
    }

    [Fact]
    public void A_share_in_a_list_that_does_not_add_up_is_no_share()
    {
        AssertNoShare([.. List(Share(A)), 0]);
        AssertNoShare([0, 37, .. Share(A)]);
        AssertNoShare([0, 35, .. Share(A)]);
        AssertNoShare(List([.. Share(A), 0, 0x1d, 0, 32]));
        AssertNoShare(List([.. Share(A), 0]));
        AssertNoShare(List([]));
    }

    [Fact]
    public void A_share_of_another_length_is_passed_over()
    {
        Assert.Equal(B, Parse(Extension(0x33, List([0, 0x1d, 0, 1, 7], [0, 0x1d, 0, 0], Share(B)))).X25519Share.ToArray());
        AssertNoShare(List([0, 0x1d, 0, 33, .. A, 1]));
    }

    [Fact]
    public void A_name_in_a_list_that_does_not_add_up_is_no_name()
    {
        var name = Name("one.example");
        AssertNoName([.. name, 0]);
        AssertNoName([0, (byte)(name.Length - 1), .. name[2..]]);
        AssertNoName(List([.. name[2..], 0]));
        AssertNoName(List([0, 0, 12, .. "one.example"u8]));
        AssertNoName([]);
        AssertNoName([0]);
    }

    [Fact]
    public void An_extension_cut_off_in_its_header_spoils_the_hello()
    {
        Assert.True(ClientHello.TryParse(Hello(Extension(0, Name("one.example")), padded: false), out _, out _));
        foreach (var rest in (byte[][])[[0], [0, 5], [0, 5, 0], [0, 5, 0, 1]])
        {
            Assert.False(
                ClientHello.TryParse(Hello([.. Extension(0, Name("one.example")), .. rest], padded: false), out var hello, out var error));
            Assert.Equal(ProtocolError.TlsBadClientHello, error);
            Assert.True(hello.Bytes.IsEmpty);
            Assert.True(hello.Random.IsEmpty);
        }
    }

    [Fact]
    public void Only_the_one_record_form_parses()
    {
        var hello = Hello(Extension(0, Name("one.example")), padded: true);
        Assert.True(ClientHello.TryParse(hello, out _, out _));
        Assert.False(ClientHello.TryParse([.. hello, 0], out _, out _));
        for (var length = 0; length < hello.Length; length++)
            Assert.False(ClientHello.TryParse(hello.AsSpan(0, length), out _, out _));
        foreach (var position in (int[])[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
        {
            hello[position] ^= 1;
            Assert.False(ClientHello.TryParse(hello, out _, out _));
            hello[position] ^= 1;
        }
    }

    private static ClientHello Parse(params byte[][] extensions)
    {
        Assert.True(ClientHello.TryParse(Hello([.. extensions.SelectMany(e => e)], padded: true), out var hello, out _));
        return hello;
    }

    private static void AssertNoShare(byte[] body)
    {
        var hello = Parse(Extension(0x33, body));
        Assert.True(hello.HasKeyShareExtension);
        Assert.True(hello.X25519Share.IsEmpty);
    }

    private static void AssertNoName(byte[] body) => Assert.True(Parse(Extension(0, body)).Sni.IsEmpty);

    /// <summary>A hello around these extensions. Unpadded ones are made long enough by their suites instead.</summary>
    private static byte[] Hello(byte[] extensions, bool padded)
    {
        byte[] suites = padded ? [0x13, 1] : [.. Enumerable.Repeat((byte)0x13, 600)];
        if (padded)
            extensions = [.. extensions, .. Extension(0x15, new byte[500])];
        byte[] body = [3, 3, .. new byte[32], 0, .. List(suites), 1, 0, .. List(extensions)];
        byte[] message = [1, 0, .. List(body)];
        return [0x16, 3, 1, .. List(message)];
    }

    private static byte[] Extension(int type, byte[] body) => [(byte)(type >> 8), (byte)type, .. List(body)];

    private static byte[] Name(string name) => List([0, .. List(System.Text.Encoding.ASCII.GetBytes(name))]);

    private static byte[] Share(byte[] key) => [0, 0x1d, .. List(key)];

    private static byte[] List(params byte[][] items)
    {
        var length = items.Sum(i => i.Length);
        return [(byte)(length >> 8), (byte)length, .. items.SelectMany(i => i)];
    }
}
