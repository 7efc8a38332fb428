using System.Buffers.Binary;
using System.Security.Cryptography;
using Portico.Protocol.Crypto;

namespace Portico.Core.Admission.Replay;

/// <summary>What was seen of clients, as a file. Its checksum is looked at before anything in it is believed; it guards against accidents, not against who may write the file.</summary>
/// <remarks>
/// <code>
/// 8   "PTCSEEN" and the version, 1
/// 16  key of the hash
/// 8   when it was written, Unix seconds
/// 4   number of ages, at most 256
/// 4   number of items
/// 8   for each age, the oldest first: seconds since it ended
/// 18  for each item: the hash, 2 bytes for the index of its age
/// 32  SHA-256 of everything before
/// </code>
/// Numbers are little-endian.
/// </remarks>
internal static class SeenFile
{
    private const int HeaderLength = 40, AgeLength = sizeof(long), ItemLength = 18, HashLength = SHA256.HashSizeInBytes;

    private const int VersionOffset = 7, KeyOffset = 8, WrittenOffset = KeyOffset + SipHash128.KeyLength, AgesOffset = WrittenOffset + sizeof(long), ItemsOffset = AgesOffset + sizeof(int);

    private const byte Version = 1;

    private const int ItemsPerWrite = 4096;

    private static ReadOnlySpan<byte> Name => "PTCSEEN"u8;

    /// <summary>Writes one.</summary>
    /// <param name="file">Where to.</param>
    /// <param name="key">Of the hash.</param>
    /// <param name="writtenUnix">The present, Unix seconds.</param>
    /// <param name="ages">Seconds since each age ended.</param>
    /// <param name="forEach">Shows every item with the index of its age.</param>
    /// <param name="items">How many that will be.</param>
    public static void Write(Stream file, ReadOnlySpan<byte> key, long writtenUnix, ReadOnlySpan<long> ages, Action<Action<UInt128, ushort>> forEach, int items)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[ItemsPerWrite * ItemLength];
        var used = HeaderLength + (ages.Length * AgeLength);
        Name.CopyTo(buffer);
        buffer[VersionOffset] = Version;
        key.CopyTo(buffer.AsSpan(KeyOffset));
        BinaryPrimitives.WriteInt64LittleEndian(buffer.AsSpan(WrittenOffset), writtenUnix);
        BinaryPrimitives.WriteInt32LittleEndian(buffer.AsSpan(AgesOffset), ages.Length);
        BinaryPrimitives.WriteInt32LittleEndian(buffer.AsSpan(ItemsOffset), items);
        for (var i = 0; i < ages.Length; i++) BinaryPrimitives.WriteInt64LittleEndian(buffer.AsSpan(HeaderLength + (i * AgeLength)), ages[i]);
        forEach((item, age) =>
        {
            if (buffer.Length - used < ItemLength) Flush();
            BinaryPrimitives.WriteUInt128LittleEndian(buffer.AsSpan(used), item);
            BinaryPrimitives.WriteUInt16LittleEndian(buffer.AsSpan(used + 16), age);
            used += ItemLength;
        });
        Flush();
        file.Write(hash.GetHashAndReset());

        void Flush()
        {
            hash.AppendData(buffer, 0, used);
            file.Write(buffer, 0, used);
            used = 0;
        }
    }

    /// <summary>Reads one.</summary>
    /// <param name="file">A file that can be read twice: once for its checksum.</param>
    /// <param name="begin">Is shown the key, the time of writing and the ages, before the items.</param>
    /// <param name="item">Is shown each item with the index of its age.</param>
    /// <returns>False if it is no such file, or not whole; then nothing was shown.</returns>
    public static bool TryRead(Stream file, Action<byte[], long, long[]> begin, Action<UInt128, ushort> item)
    {
        var header = new byte[HeaderLength];
        if (file.ReadAtLeast(header, HeaderLength, throwOnEndOfStream: false) < HeaderLength || !header.AsSpan(0, VersionOffset).SequenceEqual(Name) || header[VersionOffset] != Version) return false;
        var (ages, items) = (BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(AgesOffset)), BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(ItemsOffset)));
        if (ages is < 0 or > ReplayAges.Most || items < 0 || file.Length != HeaderLength + (ages * AgeLength) + ((long)items * ItemLength) + HashLength || !IsWhole(file)) return false;

        file.Position = HeaderLength;
        var endedAgo = new byte[ages * AgeLength];
        file.ReadExactly(endedAgo);
        begin(
            header[KeyOffset..WrittenOffset],
            BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(WrittenOffset)),
            [.. Enumerable.Range(0, ages).Select(i => BinaryPrimitives.ReadInt64LittleEndian(endedAgo.AsSpan(i * AgeLength)))]);
        var buffer = new byte[ItemsPerWrite * ItemLength];
        for (var left = items; left > 0; left -= ItemsPerWrite)
        {
            var bytes = buffer.AsSpan(0, Math.Min(left, ItemsPerWrite) * ItemLength);
            file.ReadExactly(bytes);
            for (; bytes.Length > 0; bytes = bytes[ItemLength..]) item(BinaryPrimitives.ReadUInt128LittleEndian(bytes), BinaryPrimitives.ReadUInt16LittleEndian(bytes[16..]));
        }

        return true;
    }

    private static bool IsWhole(Stream file)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[ItemsPerWrite * ItemLength];
        file.Position = 0;
        for (var left = file.Length - HashLength; left > 0;)
        {
            var count = file.Read(buffer, 0, (int)Math.Min(left, buffer.Length));
            if (count == 0) return false;
            hash.AppendData(buffer, 0, count);
            left -= count;
        }

        var written = new byte[HashLength];
        return file.ReadAtLeast(written, HashLength, throwOnEndOfStream: false) == HashLength && written.AsSpan().SequenceEqual(hash.GetHashAndReset());
    }
}
