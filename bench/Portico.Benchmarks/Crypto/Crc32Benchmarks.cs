using BenchmarkDotNet.Attributes;
using Portico.Protocol.Crypto;

namespace Portico.Benchmarks.Crypto;

public class Crc32Benchmarks
{
    private byte[] _bytes = [];

    [Params(64, 1024, 16384)]
    public int Length { get; set; }

    [GlobalSetup]
    public void Prepare() => _bytes = Samples.Bytes(Length);

    [Benchmark(Baseline = true)]
    public uint PortableTwin() => Crc32.AppendPortable(uint.MaxValue, _bytes);

    [Benchmark]
    public uint Compute() => Crc32.Compute(_bytes);
}
