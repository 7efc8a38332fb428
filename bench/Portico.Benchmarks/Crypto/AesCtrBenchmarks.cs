using BenchmarkDotNet.Attributes;
using Portico.Protocol.Crypto;

namespace Portico.Benchmarks.Crypto;

/// <summary>A piece of a stream against the twin on the base class library. Key schedules are expanded in each call, in both.</summary>
public class AesCtrBenchmarks
{
    private readonly byte[] _key = Samples.Bytes(32), _iv = Samples.Bytes(16);
    private byte[] _bytes = [];
    private AesCtr _stream, _second;

    [Params(64, 1024, 16384, 65536)]
    public int Length { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        _bytes = Samples.Bytes(Length);
        _stream = new AesCtr(_key, _iv);
        _second = new AesCtr(_iv.Concat(_iv).ToArray(), _iv);
    }

    [Benchmark(Baseline = true)]
    public void BclTwin() => AesCtr.TransformPortable(ref _stream, _bytes, _bytes);

    [Benchmark]
    public void Transform() => _stream.Transform(_bytes);

    /// <summary>An upload: decrypted from the client and encrypted for the DC in one pass.</summary>
    [Benchmark]
    public void TransformBoth() => AesCtr.TransformBoth(ref _stream, ref _second, _bytes);
}
