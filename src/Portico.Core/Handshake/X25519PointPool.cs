using Portico.Protocol.Crypto;

namespace Portico.Core.Handshake;

/// <summary>
/// Public keys for server flights, made ahead of need by a thread of its own: each is a random point of the curve, used once.
/// Observers check that a share is on the curve; making one costs microseconds that a handshake on a busy loop should not wait for.
/// </summary>
internal sealed class X25519PointPool : IDisposable
{
    /// <summary>Length of a key, in bytes.</summary>
    public const int KeyLength = 32;

    // A second of connects on one core, 64 KB.
    private const int Capacity = 2048;

    private readonly byte[] _keys = new byte[Capacity * KeyLength];
    private readonly Lock _gate = new();
    private readonly ManualResetEventSlim _wanted = new(initialState: true);
    private int _count;
    private bool _disposed;

    public X25519PointPool() => new Thread(Fill) { Name = "portico-points", IsBackground = true, Priority = ThreadPriority.BelowNormal }.Start();

    /// <summary>Writes a fresh key. Made on the spot, of the caller's random bytes, when the pool is empty.</summary>
    public void Take(RandomKeystream random, Span<byte> key)
    {
        lock (_gate)
        {
            if (_count > 0)
            {
                var kept = _keys.AsSpan(--_count * KeyLength, KeyLength);
                kept.CopyTo(key);
                kept.Clear();
                if (_count < Capacity / 2) _wanted.Set();
                return;
            }
        }

        Make(random, key);
    }

    public void Dispose()
    {
        lock (_gate) _disposed = true;
        _wanted.Set();
    }

    private static void Make(RandomKeystream random, Span<byte> key)
    {
        do random.Fill(key);
        while (!X25519Point.TryMake(key));
    }

    private void Fill()
    {
        var random = new RandomKeystream();
        Span<byte> key = stackalloc byte[KeyLength];
        while (true)
        {
            _wanted.Wait();
            Make(random, key);
            lock (_gate)
            {
                if (_disposed) return;
                if (_count < Capacity) key.CopyTo(_keys.AsSpan(_count++ * KeyLength, KeyLength));
                if (_count == Capacity) _wanted.Reset();
            }
        }
    }
}
