using System.Security.Cryptography;
using Portico.Core.Options;
using Portico.Protocol.Crypto;

namespace Portico.Core.Admission.Replay;

/// <summary>
/// What clients began with in the last weeks: one set for all loops, listeners and transports, bounded in items, memory and age
/// (docs/adr/0012). Of each beginning 8 bytes are kept, hashed with a secret key, so that nothing can be aimed at a place in it; among
/// 4 million, one new client in 4 million million is taken for a known one. Only what proved to know a secret is put in.
/// </summary>
internal sealed class ReplaySet
{
    private const int ShardBits = 8;

    // A part of the set without pages: object, lock and a directory of one.
    private const int EmptyShardBytes = 144;

    private readonly byte[] _key;
    private readonly ReplayShard[] _shards = new ReplayShard[1 << ShardBits];
    private readonly ReplayAges _ages;
    private LoadedItems? _loaded;
    private int _loadedSteps;

    /// <param name="settings">The limits.</param>
    /// <param name="evicted">
    /// Items were forgotten before their time: how many, and the seconds for which the youngest of them had been remembered.
    /// May be called on any loop.
    /// </param>
    /// <param name="key">16 bytes for the hash.</param>
    public ReplaySet(ReplaySettings settings, Action<int, long> evicted, byte[] key)
    {
        _key = key;
        _ages = new ReplayAges(settings, evicted);
        for (var i = 0; i < _shards.Length; i++) _shards[i] = new ReplayShard(_ages, ShardBits);
        _ages.Take(_shards.Length * (EmptyShardBytes + IntPtr.Size));
    }

    /// <summary>Beginnings remembered.</summary>
    public int Items => _ages.Items;

    /// <summary>Memory taken by them, in bytes.</summary>
    public long Bytes => _ages.Bytes;

    /// <summary>A key for a set that knows nothing yet.</summary>
    public static byte[] NewKey() => RandomNumberGenerator.GetBytes(SipHash128.KeyLength);

    /// <summary>Remembers a beginning; from any loop.</summary>
    /// <param name="beginning">
    /// What identifies it: <c>HelloDigest.ReplayFingerprint</c> or <c>ObfuscatedHeader.ReplayFingerprint</c>.
    /// They differ in length, so neither is taken for the other.
    /// </param>
    /// <param name="now">Seconds of a monotonic clock.</param>
    /// <param name="item">What is remembered of it.</param>
    /// <returns>False if it is known: a replay.</returns>
    public bool TryAdd(ReadOnlySpan<byte> beginning, long now, out ulong item)
    {
        item = (ulong)SipHash128.Compute(_key, beginning);
        _ages.MoveTo(now);
        if (_loaded is not null && _ages.Oldest >= _loadedSteps) ForgetLoaded();
        return ShardOf(item).TryAdd(item, now);
    }

    /// <summary>Whether a beginning is known; changes nothing.</summary>
    public bool Contains(ReadOnlySpan<byte> beginning)
    {
        var item = (ulong)SipHash128.Compute(_key, beginning);
        return ShardOf(item).Contains(item);
    }

    /// <summary>Begins with the items of earlier processes, before any is added.</summary>
    /// <param name="loaded">In order; each carries the index of its step.</param>
    /// <param name="steps">For each step, the oldest first: how many items, and the seconds since the youngest came.</param>
    /// <param name="now">Seconds of a monotonic clock.</param>
    public void Begin(LoadedItems loaded, ReadOnlySpan<(int Items, long EndedAgo)> steps, long now)
    {
        (_loaded, _loadedSteps) = (loaded, steps.Length);
        _ages.Take(loaded.Bytes);
        foreach (var shard in _shards) shard.Set(loaded);
        _ages.Restore(steps, now);
    }

    // All of them are too old. Those that were repeated meanwhile are in pages.
    private void ForgetLoaded()
    {
        if (Interlocked.Exchange(ref _loaded, null) is not { } loaded) return;
        foreach (var shard in _shards) shard.Set(null);
        _ages.Take(-loaded.Bytes);
    }

    private ReplayShard ShardOf(ulong item) => _shards[(int)(item >> (64 - ShardBits))];
}
