using BenchmarkDotNet.Attributes;
using Portico.Protocol.Crypto;

namespace Portico.Benchmarks.Crypto;

/// <summary>One draw; a key takes two on average.</summary>
public class X25519PointBenchmarks
{
    private readonly RandomKeystream _random = new();
    private readonly byte[] _point = new byte[X25519Point.Length];

    [Benchmark]
    public bool TryMake()
    {
        _random.Fill(_point);
        return X25519Point.TryMake(_point);
    }
}
