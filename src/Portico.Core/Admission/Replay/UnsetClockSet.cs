using System.Security.Cryptography;
using Portico.Protocol.Crypto;

namespace Portico.Core.Admission.Replay;

/// <summary>
/// The hellos of clients whose clock is not set. No time limits how long such a hello can be repeated, so each is remembered for ever, and there is an end of them
/// (spec/02 section 4).
/// </summary>
internal sealed class UnsetClockSet
{
    /// <summary>So many, and no more.</summary>
    public const int Most = 65536;

    private const int BytesPerItem = 40; // an entry of the table: hash, next, item; and half as much again for growing

    private readonly Lock _gate = new();
    private readonly HashSet<UInt128> _items = [];
    private byte[] _key = RandomNumberGenerator.GetBytes(SipHash128.KeyLength);

    public int Items
    {
        get
        {
            lock (_gate) return _items.Count;
        }
    }

    public long Bytes => (long)Items * BytesPerItem;

    public bool Contains(ReadOnlySpan<byte> beginning)
    {
        lock (_gate) return _items.Contains(SipHash128.Compute(_key, beginning));
    }

    /// <summary>Remembers a beginning that is not known. False if there is no room.</summary>
    public bool TryAdd(ReadOnlySpan<byte> beginning)
    {
        lock (_gate) return _items.Count < Most && _items.Add(SipHash128.Compute(_key, beginning));
    }

    /// <summary>Writes all of them.</summary>
    public void Save(Stream file, long unixSeconds)
    {
        UInt128[] items;
        lock (_gate) items = [.. _items];
        SeenFile.Write(file, _key, unixSeconds, [0], show => Array.ForEach(items, item => show(item, 0)), items.Length);
    }

    /// <summary>Takes those of an earlier process, before anything else. False if the file is not whole.</summary>
    public bool TryLoad(Stream file) => SeenFile.TryRead(file, (key, _, _) => _key = key, (item, _) => _items.Add(item));
}
