using Portico.Protocol.Crypto;

namespace Portico.Core.Handshake;

/// <summary>
/// Public keys for server flights, made ahead of need by a thread of its own, each used once
/// (<see cref="X25519Point"/> says what an observer can check about them). When a burst has emptied the pool,
/// the loop that finds it empty makes a few at once: one alone would cost it three times as much.
/// </summary>
internal sealed class X25519PointPool : IDisposable
{
    /// <summary>Length of a key, in bytes.</summary>
    public const int KeyLength = X25519Point.Length;

    // A second of connects on one core, 64 KB.
    internal const int Capacity = 2048;

    // What a loop makes of an empty pool, about 35 us of its time; what the thread makes between two looks at the gate.
    internal const int InlineBatch = 8;
    private const int ThreadBatch = X25519Point.BatchSize;

    private readonly byte[] _keys = new byte[Capacity * KeyLength];
    private readonly Lock _gate = new();
    private readonly ManualResetEventSlim _wanted = new(initialState: true);
    private int _count;
    private long _madeInline;
    private bool _disposed;

    public X25519PointPool() : this(startThread: true)
    {
    }

    internal X25519PointPool(bool startThread)
    {
        if (startThread)
            new Thread(KeepFull) { Name = "portico-points", IsBackground = true }.Start();
    }

    /// <summary>Keys at hand.</summary>
    internal int Count
    {
        get
        {
            lock (_gate) return _count;
        }
    }

    /// <summary>Keys that loops had to make for themselves.</summary>
    internal long MadeInline => Volatile.Read(ref _madeInline);

    /// <summary>Writes a fresh key. Made on the spot, of the caller's random bytes, when the pool is empty.</summary>
    public void Take(RandomKeystream random, Span<byte> key)
    {
        if (TryTake(key)) return;

        Span<byte> made = stackalloc byte[InlineBatch * KeyLength];
        X25519Point.Fill(random, made);
        made[..KeyLength].CopyTo(key);
        Put(made[KeyLength..]);
        made.Clear();
        Interlocked.Add(ref _madeInline, InlineBatch);
    }

    public void Dispose()
    {
        lock (_gate) _disposed = true;
        _wanted.Set();
    }

    private bool TryTake(Span<byte> key)
    {
        lock (_gate)
        {
            var isEmpty = _count == 0;
            if (!isEmpty)
            {
                var kept = _keys.AsSpan(--_count * KeyLength, KeyLength);
                kept.CopyTo(key);
                kept.Clear();
            }

            if (_count < Capacity / 2) _wanted.Set();
            return !isEmpty;
        }
    }

    // What finds no room is dropped. False when the pool is no longer in use.
    private bool Put(ReadOnlySpan<byte> keys)
    {
        lock (_gate)
        {
            var count = Math.Min(keys.Length / KeyLength, Capacity - _count);
            keys[..(count * KeyLength)].CopyTo(_keys.AsSpan(_count * KeyLength));
            _count += count;
            if (_count == Capacity) _wanted.Reset();
            return !_disposed;
        }
    }

    private void KeepFull()
    {
        var random = new RandomKeystream();
        Span<byte> keys = stackalloc byte[ThreadBatch * KeyLength];
        do
        {
            _wanted.Wait();
            X25519Point.Fill(random, keys);
        }
        while (Put(keys));
    }
}
