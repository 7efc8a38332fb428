using BenchmarkDotNet.Attributes;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Secrets;

namespace Portico.Benchmarks.FakeTls;

/// <summary>A flight without its random bytes and its point, which come from elsewhere.</summary>
public class ServerFlightBenchmarks
{
    private readonly ProxySecret _secret = Samples.Secret();
    private readonly byte[] _random = Samples.Bytes(32), _scratch = new byte[1 << 14];
    private byte[] _flight = [];

    [Params(1024, 4096)]
    public int AppData { get; set; }

    [GlobalSetup]
    public void Prepare() => _flight = Samples.Bytes(ServerFlight.Length(_random.Length, AppData));

    [Benchmark]
    public void Write() => ServerFlight.Write(
        _flight, _scratch, _secret, _random, _random, TlsCipherSuites.Aes128GcmSha256, _random, ServerExtensionOrder.KeyShareFirst);
}
