using BenchmarkDotNet.Attributes;
using Portico.Protocol.FakeTls;

namespace Portico.Benchmarks.FakeTls;

/// <summary>
/// What a client sent, as one read delivers it: records of 64 bytes (chat),
/// of 2878 (an upload of the official clients), of 16384.
/// </summary>
public class TlsRecordBenchmarks
{
    private const int ReadLength = 64 * 1024;

    private byte[] _wire = [], _chunk = [];

    [Params(64, 2878, 16384)]
    public int Record { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        var records = ReadLength / (Record + TlsRecordWriter.HeaderLength);
        _wire = new byte[records * (Record + TlsRecordWriter.HeaderLength)];
        for (var i = 0; i < records; i++)
            TlsRecordWriter.Wrap(Samples.Bytes(Record), _wire.AsSpan(i * (Record + TlsRecordWriter.HeaderLength)));
        _chunk = new byte[_wire.Length];
    }

    /// <summary>Unwrapping works in place, so each call needs the wire anew: subtract this.</summary>
    [Benchmark(Baseline = true)]
    public void Copy() => _wire.CopyTo(_chunk, 0);

    [Benchmark]
    public int CopyAndUnwrap()
    {
        _wire.CopyTo(_chunk, 0);
        var reader = default(TlsRecordReader);
        return reader.Unwrap(_chunk, out _).Length;
    }
}
