using BenchmarkDotNet.Attributes;
using Portico.Protocol;
using Portico.Protocol.Crypto;
using Portico.Protocol.Obfuscation;
using Portico.Protocol.Secrets;

namespace Portico.Benchmarks.Obfuscation;

/// <summary>The 64 bytes towards a client and towards a DC.</summary>
public class ObfuscatedHeaderBenchmarks
{
    private readonly ProxySecret _secret = Samples.Secret(), _wrong = Samples.Secret();
    private readonly byte[] _header = Samples.Bytes(ObfuscatedHeader.Length), _work = Samples.Bytes(ObfuscatedHeader.Length);
    private readonly AesKeyIv _clientKey = new(Samples.Bytes(AesKeyIv.KeyLength), Samples.Bytes(AesKeyIv.IvLength));

    [GlobalSetup]
    public void Prepare() => ObfuscatedHeader.Write(_header, _secret, Transport.Padded, dcId: 2, out _);

    [Benchmark]
    public bool ReadOurs() => ObfuscatedHeader.TryRead(_header, _secret, out _, out _, out _);

    /// <summary>One trial.</summary>
    [Benchmark]
    public bool ReadStrangers() => ObfuscatedHeader.TryRead(_header, _wrong, out _, out _, out _);

    [Benchmark]
    public void WriteAsClient() => ObfuscatedHeader.Write(_work, _secret, Transport.Padded, dcId: 2, out _);

    [Benchmark]
    public void WriteToDc() => ObfuscatedHeader.WriteToDc(_work, Transport.Padded, dcId: 2, out AesCtr _, out _);

    [Benchmark]
    public void WriteToDcPassThrough() => ObfuscatedHeader.WriteToDc(_work, Transport.Padded, dcId: 2, _clientKey, out _);
}
