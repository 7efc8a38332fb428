using System.Security.Cryptography;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using Portico.Protocol.Crypto;

namespace Portico.Benchmarks.Crypto;

/// <summary>Frames of a middle proxy against the base class library with its key set up once.</summary>
[GroupBenchmarksBy(BenchmarkLogicalGroupRule.ByCategory, BenchmarkLogicalGroupRule.ByParams)]
public class AesCbcBenchmarks
{
    private readonly byte[] _key = Samples.Bytes(AesCbc256.KeyLength), _iv = Samples.Bytes(AesCbc256.BlockLength);
    private readonly Aes _aes = Aes.Create();
    private byte[] _blocks = [];

    [Params(64, 1024, 16384)]
    public int Length { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        _blocks = Samples.Bytes(Length);
        _aes.SetKey(_key);
    }

    [Benchmark(Baseline = true), BenchmarkCategory("encrypt")]
    public int BclEncrypt() => _aes.EncryptCbc(_blocks, _iv, _blocks, PaddingMode.None);

    [Benchmark, BenchmarkCategory("encrypt")]
    public void Encrypt() => AesCbc256.Encrypt(_key, _iv, _blocks);

    [Benchmark(Baseline = true), BenchmarkCategory("decrypt")]
    public int BclDecrypt() => _aes.DecryptCbc(_blocks, _iv, _blocks, PaddingMode.None);

    [Benchmark, BenchmarkCategory("decrypt")]
    public void Decrypt() => AesCbc256.Decrypt(_key, _iv, _blocks);
}
