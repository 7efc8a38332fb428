using BenchmarkDotNet.Attributes;
using Portico.Protocol;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Secrets;

namespace Portico.Benchmarks.FakeTls;

/// <summary>A hello of 517 bytes and one of 1.8 KB: structure alone, and one trial in each form.</summary>
public class HelloBenchmarks
{
    private readonly byte[] _scratch = new byte[ClientHelloReader.MaxHelloLength], _trials = new byte[HelloDigest.ScratchLength];
    private readonly HmacKey[] _keys = [new(Samples.Secret())];
    private readonly ProxySecret[] _secrets = [Samples.Secret()];
    private byte[] _hello = [];

    [Params(ClientHelloShape.Classic517, ClientHelloShape.PostQuantum)]
    public ClientHelloShape Shape { get; set; }

    [GlobalSetup]
    public void Prepare() => _hello = Samples.Hello(Samples.Secret(), Shape);

    [Benchmark]
    public FrameStatus Open() => HelloExamination.Open(_hello, _scratch, out _);

    [Benchmark(Baseline = true)]
    public int TrialWithKey() => HelloDigest.IndexOfSigner(_hello, _keys, out _);

    [Benchmark]
    public int TrialWithSecret() => HelloDigest.IndexOfSigner(_hello, _secrets, _trials, out _);
}
