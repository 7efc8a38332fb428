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
    private readonly byte[] _ivs = Samples.Bytes(4 * AesCbc256.BlockLength);
    private byte[] _blocks = [], _four = [];

    [Params(64, 1024, 16384)]
    public int Length { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        _blocks = Samples.Bytes(Length);
        _four = Samples.Bytes(4 * Length);
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

    [Benchmark(Baseline = true), BenchmarkCategory("four links")]
    public void OneAfterTheOther()
    {
        for (var link = 0; link < 4; link++) AesCbc256.Encrypt(_key, _ivs.AsSpan(16 * link, 16), _four.AsSpan(Length * link, Length));
    }

    [Benchmark, BenchmarkCategory("four links")]
    public void LockStep() => AesCbc256.EncryptInLockStep(Chain(0, Length), Chain(1, Length), Chain(2, Length), Chain(3, Length));

    [Benchmark(Baseline = true), BenchmarkCategory("two links")]
    public void OneAfterTheOtherOfTwo()
    {
        for (var link = 0; link < 2; link++) AesCbc256.Encrypt(_key, _ivs.AsSpan(16 * link, 16), _four.AsSpan(Length * link, Length));
    }

    [Benchmark, BenchmarkCategory("two links")]
    public void LockStepOfTwo() => AesCbc256.EncryptInLockStep(Chain(0, Length), Chain(1, Length), Chain(2, 0), Chain(3, 0));

    private CbcChain Chain(int link, int length) => new(_key, _ivs.AsSpan(16 * link, 16), _four.AsSpan(Length * link, length));
}
