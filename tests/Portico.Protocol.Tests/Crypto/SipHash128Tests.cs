using System.Buffers.Binary;
using Portico.Protocol.Crypto;
using Xunit;

namespace Portico.Protocol.Tests.Crypto;

public class SipHash128Tests
{
    private static readonly byte[] Key = [.. Enumerable.Range(0, 16).Select(i => (byte)i)];

    /// <summary>
    /// As OpenSSL 3 has them (<c>openssl mac -macopt hexkey:000102…0f -macopt size:16 SIPHASH</c>)
    /// of the bytes 0, 1, 2, …; the first two are also in the reference implementation.
    /// </summary>
    [Theory]
    [InlineData(0, "A3817F04BA25A8E66DF67214C7550293")]
    [InlineData(1, "DA87C1D86B99AF44347659119B22FC45")]
    [InlineData(7, "A1F1EBBED8DBC153C0B84AA61FF08239")]
    [InlineData(8, "3B62A9BA6258F5610F83E264F31497B4")]
    [InlineData(28, "0664DA1668574B88B935F3027358AEF4")]
    [InlineData(48, "F7E5AEF549F782CF379055A608269B16")]
    [InlineData(63, "5150D1772F50834A503E069A973FBD7C")]
    public void Results_are_those_of_openssl(int length, string expected)
    {
        Span<byte> result = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128LittleEndian(result, SipHash128.Compute(Key, [.. Enumerable.Range(0, length).Select(i => (byte)i)]));
        Assert.Equal(expected, Convert.ToHexString(result));
    }

    [Fact]
    public void Another_key_gives_another_result()
    {
        byte[] other = [.. Key];
        other[15] ^= 1;
        Assert.NotEqual(SipHash128.Compute(Key, "abc"u8), SipHash128.Compute(other, "abc"u8));
    }
}
