using Portico.Protocol.Crypto;
using Portico.Protocol.Framing;
using Xunit;

namespace Portico.Protocol.Tests;

/// <summary>
/// What is called for each packet or each client leaves no garbage.
/// Hellos, records, headers and AES-CTR have the same test beside their others.
/// </summary>
public class AllocationTests
{
    private readonly byte[] _key = new byte[AesCbc256.KeyLength], _iv = new byte[AesCbc256.BlockLength];
    private readonly byte[] _bytes = new byte[1024], _wire = new byte[1040];

    private readonly RandomKeystream _random = new();

    [Fact]
    public void Ciphers_and_checksums_allocate_nothing() =>
        AssertNone(() =>
        {
            AesCbc256.Encrypt(_key, _iv, _bytes);
            AesCbc256.Decrypt(_key, _iv, _bytes);
            Crc32.Compute(_bytes);
            X25519Point.TryMake(_bytes.AsSpan(0, X25519Point.Length));
            X25519Point.Fill(_random, _bytes);
        });

    [Theory]
    [InlineData(Transport.Abridged)]
    [InlineData(Transport.Intermediate)]
    [InlineData(Transport.Padded)]
    public void Framing_allocates_nothing(Transport transport) =>
        AssertNone(() =>
        {
            var header = FrameCodec.WriteHeader(transport, _wire, _bytes.Length, paddingLength: 0, quickAck: false);
            var whole = _wire.AsSpan(0, header + _bytes.Length);
            Assert.True(FrameCodec.TryRead(transport, whole, out _, out _) == FrameStatus.Ok);
            Assert.True(FrameCodec.TryRead(transport, whole[..^1], out _, out _) == FrameStatus.NeedMoreData);
        });

    private static void AssertNone(Action hotCalls)
    {
        hotCalls(); // statics and first-time work
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10; i++) hotCalls();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
