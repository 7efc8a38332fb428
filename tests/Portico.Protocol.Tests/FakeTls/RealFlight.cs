using System.Buffers.Binary;

namespace Portico.Protocol.Tests.FakeTls;

/// <summary>Bytes of a real server's flight, put together by hand.</summary>
internal static class RealFlight
{
    internal static readonly byte[] RetryRandom = Convert.FromHexString("CF21AD74E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C");

    internal static readonly byte[] Versions = [0, 0x2b, 0, 2, 3, 4];

    internal static readonly byte[] ChangeCipherSpec = [0x14, 3, 3, 0, 1, 1];

    /// <summary>What OpenSSL sends with an ECDSA certificate: hello, CCS, and four encrypted messages.</summary>
    internal static byte[] Whole { get; } =
    [
        .. Record(Hello([.. Versions, .. KeyShare(0x1d, 32)])), .. ChangeCipherSpec,
        .. Encrypted(36), .. Encrypted(455), .. Encrypted(96), .. Encrypted(53),
    ];

    internal static byte[] KeyShare(int group, int length) =>
        [0, 0x33, .. Vector([(byte)(group >> 8), (byte)group, .. Vector(new byte[length])])];

    internal static byte[] Hello(byte[] extensions, byte[]? random = null, int suite = 0x1302, int sessionId = 32)
    {
        byte[] body =
        [
            3, 3, .. random ?? [.. Enumerable.Repeat((byte)0x5a, 32)], (byte)sessionId,
            .. new byte[sessionId], (byte)(suite >> 8), (byte)suite, 0, .. Vector(extensions),
        ];
        return [2, 0, .. Vector(body)];
    }

    internal static byte[] Record(byte[] message, byte type = 0x16) => [type, 3, 3, .. Vector(message)];

    internal static byte[] Encrypted(int length) => Record(new byte[length], 0x17);

    internal static byte[] Vector(byte[] bytes)
    {
        var vector = new byte[2 + bytes.Length];
        BinaryPrimitives.WriteUInt16BigEndian(vector, (ushort)bytes.Length);
        bytes.CopyTo(vector, 2);
        return vector;
    }
}
