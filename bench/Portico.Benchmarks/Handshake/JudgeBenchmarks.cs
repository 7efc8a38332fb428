using System.Net;
using BenchmarkDotNet.Attributes;
using Portico.Core.Handshake;
using Portico.Core.Options;
using Portico.Core.Users;
using Portico.Protocol;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Obfuscation;

namespace Portico.Benchmarks.Handshake;

/// <summary>
/// Mine or not mine, all slices of trials together. Today's hello of 1.8 KB,
/// signed with the first secret or with nobody's; a header of a stranger.
/// </summary>
public class JudgeBenchmarks
{
    private readonly byte[] _scratch = new byte[Judge.ScratchLength], _header = Samples.Bytes(ObfuscatedHeader.Length);
    private byte[] _ours = [], _strangers = [];
    private Judge _judge = null!;

    [Params(1, 16, 1000)]
    public int Credentials { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        var secrets = Enumerable.Range(0, Credentials).Select(_ => Samples.Secret()).ToArray();
        _judge = new JudgeMaker(
            new ListenerSettings
            {
                Name = "bench",
                Address = new IPEndPoint(IPAddress.Loopback, 0),
                Credentials = [.. secrets.Select((secret, i) => new Credential($"{i}", secret))],
                Protocols = ClientProtocols.FakeTls | ClientProtocols.Secure,
            },
            TimeWindow.Default).Create();
        _ours = Samples.Hello(secrets[0], ClientHelloShape.PostQuantum);
        _strangers = Samples.Hello(Samples.Secret(), ClientHelloShape.PostQuantum);
        ObfuscatedHeader.Write(_header, Samples.Secret(), Transport.Padded, dcId: 2, out _);
        _header[0] = 0x5a; // with the next byte no beginning that is refused without a trial
        _header[1] = 0x80;
    }

    [Benchmark(Baseline = true)]
    public byte OurHello() => Decide(_ours);

    [Benchmark]
    public byte StrangersHello() => Decide(_strangers);

    [Benchmark]
    public byte StrangersHeader() => Decide(_header);

    private byte Decide(byte[] raw)
    {
        var progress = default(TrialProgress);
        while (true)
        {
            var verdict = _judge.Decide(raw, _scratch, Samples.Now, ref progress, out _);
            if (verdict != Verdict.Trying) return (byte)verdict;
        }
    }
}
