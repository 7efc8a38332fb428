using BenchmarkDotNet.Attributes;
using Portico.Protocol.Crypto;

namespace Portico.Benchmarks.Crypto;

/// <summary>One draw alone, of which a key takes two on average; and keys by the batch, told per key.</summary>
public class X25519PointBenchmarks
{
    private readonly RandomKeystream _random = new();
    private readonly byte[] _keys = new byte[X25519Point.BatchSize * X25519Point.Length];

    [Benchmark]
    public bool TryMake()
    {
        var key = _keys.AsSpan(0, X25519Point.Length);
        _random.Fill(key);
        return X25519Point.TryMake(key);
    }

    [Benchmark(OperationsPerInvoke = X25519Point.BatchSize)]
    public void FillBatch() => X25519Point.Fill(_random, _keys);

    // What a loop makes of an empty pool.
    [Benchmark(OperationsPerInvoke = 8)]
    public void FillEight() => X25519Point.Fill(_random, _keys.AsSpan(0, 8 * X25519Point.Length));
}
