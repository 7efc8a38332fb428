using System.Security.Cryptography;
using Portico.Core.Options;
using Portico.Protocol.Crypto;

namespace Portico.Core.Admission.Replay;

/// <summary>
/// What clients of ours began with in the last hours: one set for all loops, listeners and transports, bounded in items, memory and age (docs/adr/0012). Of each beginning
/// 16 bytes are kept, hashed with a key of this set, so nobody can aim at a place in it. Only what proved to know a secret is put in, or strangers could fill it.
/// </summary>
internal sealed class ReplaySet
{
    private const int ShardBits = 8;

    // A part of the set without pages: object, lock and a directory of one.
    private const int EmptyShardBytes = 136;

    private readonly byte[] _key;
    private readonly ReplayShard[] _shards = new ReplayShard[1 << ShardBits];
    private readonly ReplayAges _ages;

    /// <param name="settings">The limits.</param>
    /// <param name="evicted">Items were forgotten before their time: how many, and the seconds for which the youngest of them had been remembered. May be called on any loop.</param>
    /// <param name="key">16 bytes, of an earlier process whose items are to be known; null = fresh ones.</param>
    public ReplaySet(ReplaySettings settings, Action<int, long> evicted, byte[]? key = null)
    {
        _key = key ?? RandomNumberGenerator.GetBytes(SipHash128.KeyLength);
        _ages = new ReplayAges(settings, evicted);
        for (var i = 0; i < _shards.Length; i++) _shards[i] = new ReplayShard(_ages, ShardBits);
        _ages.Take(_shards.Length * (EmptyShardBytes + IntPtr.Size));
    }

    /// <summary>Beginnings remembered.</summary>
    public int Items => _ages.Items;

    /// <summary>Memory taken by them, in bytes.</summary>
    public long Bytes => _ages.Bytes;

    /// <summary>The key that items are hashed with. As secret as the beginnings themselves.</summary>
    public ReadOnlySpan<byte> Key => _key;

    /// <summary>Remembers a beginning; from any loop.</summary>
    /// <param name="beginning">What identifies it: <c>HelloDigest.ReplayFingerprint</c> or <c>ObfuscatedHeader.ReplayFingerprint</c>. They differ in length, so neither is taken for the other.</param>
    /// <param name="now">Seconds of a monotonic clock.</param>
    /// <returns>False if it is known: a replay.</returns>
    public bool TryAdd(ReadOnlySpan<byte> beginning, long now)
    {
        var item = SipHash128.Compute(_key, beginning);
        _ages.MoveTo(now);
        return ShardOf(item).TryAdd(item, now);
    }

    /// <summary>Whether a beginning is known; changes nothing.</summary>
    public bool Contains(ReadOnlySpan<byte> beginning)
    {
        var item = SipHash128.Compute(_key, beginning);
        return ShardOf(item).Contains(item);
    }

    /// <summary>For each step of age, the oldest first: the seconds since it ended.</summary>
    public long[] Ages(long now) => _ages.Save(now);

    /// <summary>Shows every item with the index of its age in what <see cref="Ages"/> gives. No step may begin or die meanwhile: for when the loops have ended.</summary>
    public void ForEach(Action<UInt128, ushort> show)
    {
        var oldest = (ushort)_ages.Oldest;
        foreach (var shard in _shards) shard.ForEach((item, step) => show(item, (ushort)(step - oldest)));
    }

    /// <summary>Takes the ages of an earlier process's items; before the items, and before anything else.</summary>
    public void RestoreAges(ReadOnlySpan<long> endedAgo, long now) => _ages.Restore(endedAgo, now);

    /// <summary>Takes an item of an earlier process.</summary>
    /// <param name="item">As <see cref="ForEach"/> showed it.</param>
    /// <param name="age">Index of its age.</param>
    /// <param name="now">Seconds of a monotonic clock.</param>
    public void Restore(UInt128 item, ushort age, long now) => ShardOf(item).Restore(item, age, now);

    private ReplayShard ShardOf(UInt128 item) => _shards[(int)(item >> (128 - ShardBits))];
}
