using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Portico.Protocol.Crypto;

/// <summary>
/// Unpredictable bytes for flights, headers and key shares: AES-256-CTR under a key that the operating system chose, replaced after each
/// megabyte. A call of the system's generator costs about 2 us here whatever its length, four of them in a handshake; this costs 0.2 us
/// per kilobyte. Belongs to one thread.
/// </summary>
public sealed class RandomKeystream
{
    private const int RekeyAfterBytes = 1 << 20;

    private AesCtr _stream;
    private int _left;

    /// <summary>Overwrites <paramref name="bytes"/> with random ones.</summary>
    public void Fill(Span<byte> bytes)
    {
        if (_left < bytes.Length) Rekey();
        _left -= bytes.Length;
        bytes.Clear();
        _stream.Transform(bytes);
    }

    /// <summary>A number from <paramref name="least"/> to <paramref name="most"/>, both included.</summary>
    /// <remarks>The bias of the multiplication is below 2^-32 times the width: nobody can observe it in lengths.</remarks>
    public int Between(int least, int most)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        Fill(bytes);
        return least + (int)(((ulong)BinaryPrimitives.ReadUInt32LittleEndian(bytes) * (ulong)(most - least + 1)) >> 32);
    }

    private void Rekey()
    {
        Span<byte> keyAndIv = stackalloc byte[48];
        RandomNumberGenerator.Fill(keyAndIv);
        _stream = new AesCtr(keyAndIv[..32], keyAndIv[32..]);
        _left = RekeyAfterBytes;
        keyAndIv.Clear();
    }
}
