using Portico.Protocol.Crypto;

namespace Portico.Core.Admission.Replay;

/// <summary>
/// The hellos of clients whose clock is not set. No time limits how long such a hello can be repeated, so each is remembered for ever,
/// and there is an end of them (spec/02 section 4).
/// </summary>
/// <param name="key">16 bytes for the hash.</param>
internal sealed class UnsetClockSet(byte[] key)
{
    /// <summary>So many, and no more.</summary>
    public const int Most = 65536;

    private const int BytesPerItem = 32; // an entry of the table: hash, next, item; and half as much again for growing

    private readonly Lock _gate = new();
    private readonly HashSet<ulong> _items = [];

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
        lock (_gate) return _items.Contains((ulong)SipHash128.Compute(key, beginning));
    }

    /// <summary>Remembers a beginning that is not known. False if there is no room.</summary>
    /// <param name="beginning">What identifies the hello.</param>
    /// <param name="item">What is remembered of it.</param>
    public bool TryAdd(ReadOnlySpan<byte> beginning, out ulong item)
    {
        item = (ulong)SipHash128.Compute(key, beginning);
        lock (_gate) return _items.Count < Most && _items.Add(item);
    }

    /// <summary>Takes one of an earlier process; a file with more than there may be does not make this larger.</summary>
    public void Restore(ulong item)
    {
        lock (_gate)
        {
            if (_items.Count < Most) _items.Add(item);
        }
    }
}
