using BenchmarkDotNet.Attributes;
using Portico.Protocol;
using Portico.Protocol.Framing;

namespace Portico.Benchmarks.Framing;

/// <summary>One packet. Writing copies the payload, as does the baseline; reading only finds it.</summary>
public class FrameCodecBenchmarks
{
    private readonly byte[] _padding = new byte[3];
    private byte[] _payload = [], _wire = [], _copy = [];

    [Params(Transport.Abridged, Transport.Intermediate, Transport.Padded)]
    public Transport Transport { get; set; }

    [Params(64, 1024, 16384)]
    public int Length { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        _payload = Samples.Bytes(Length);
        _wire = new byte[Length + 16];
        _copy = new byte[Length + 16];
        Write(_wire);
    }

    [Benchmark(Baseline = true)]
    public void Copy() => _payload.CopyTo(_copy, 0);

    [Benchmark]
    public int Write() => Write(_copy);

    [Benchmark]
    public FrameStatus Read() => FrameCodec.TryRead(Transport, _wire, out _, out _);

    private int Write(byte[] wire) => Transport switch
    {
        Transport.Abridged => FrameCodec.Write<AbridgedCodec>(wire, _payload, [], quickAck: false),
        Transport.Intermediate => FrameCodec.Write<IntermediateCodec>(wire, _payload, [], quickAck: false),
        _ => FrameCodec.Write<PaddedIntermediateCodec>(wire, _payload, _padding, quickAck: false),
    };
}
