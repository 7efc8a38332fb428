using Portico.Fuzz.Checking;
using Portico.Fuzz.Searching;
using Portico.Protocol;
using Portico.Protocol.Crypto;
using Portico.Protocol.Obfuscation;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Targets.Obfuscation;

/// <summary>The 64 bytes that open a connection, and the streams behind them.</summary>
internal sealed class ObfuscatedHeaderTarget : ResumableTarget
{
    private const int Sample = 40;

    public override string Name => "obfuscated-header";

    public override IReadOnlyCollection<string> Expected { get; } =
        ["Ok Abridged", "Ok Intermediate", "Ok Padded", "NeedMoreData", "Invalid"];

    public override IEnumerable<byte[]> Seeds => VectorFile.Bytes("obfuscated2.json", "cases", "header");

    public override int MaxLength => 256;

    protected override int MostUndecided => ObfuscatedHeader.Length;

    /// <summary>Blind changes never hit a tag: they are encrypted.</summary>
    public override byte[]? MutateStructure(byte[] input, SplitMix random)
    {
        if (input.Length < ObfuscatedHeader.Length) return null;
        var header = input.ToArray();
        ObfuscatedHeader.Write(header, VectorFile.Secret, (Transport)random.Below(3), (short)random.Next(), out _);
        return header;
    }

    protected override Outcome Parse(Span<byte> bytes)
    {
        if (bytes.Length < ObfuscatedHeader.Length) return Outcome.NeedMoreData;
        if (!ObfuscatedHeader.TryRead(bytes, VectorFile.Secret, out var streams, out var transport, out var dcId))
            return new Outcome(FrameStatus.Invalid);
        var digest = new Digest().Add(dcId).Add(Keystream(ref streams.ClientToServer))
            .Add(Keystream(ref streams.ServerToClient)).Add(streams.ServerToClientKey.Key).Add(streams.ServerToClientKey.Iv);
        return new Outcome(FrameStatus.Ok, transport.ToString(), ObfuscatedHeader.Length, digest.Value);
    }

    protected override void CheckResult(ReadOnlySpan<byte> input, Outcome outcome)
    {
        if (input.Length < ObfuscatedHeader.Length) return;
        // Any bytes will do as the client's random ones: both sides of the header must agree on everything.
        var header = input[..ObfuscatedHeader.Length].ToArray();
        var (transport, dcId) = ((Transport)(input[0] % 3), (short)(input[1] << 8 | input[2]));
        ObfuscatedHeader.Write(header, VectorFile.Secret, transport, dcId, out var client);
        Demand(
            ObfuscatedHeader.TryRead(header, VectorFile.Secret, out var server, out var readTransport, out var readDc)
                && (readTransport, readDc) == (transport, dcId),
            "does not read the header it wrote");
        DemandSame(ref client.ClientToServer, ref server.ClientToServer);

        // Towards a DC that answers in the client's own stream (spec/04 section 5).
        var toDc = input[..ObfuscatedHeader.Length].ToArray();
        ObfuscatedHeader.WriteToDc(toDc, transport, dcId, server.ServerToClientKey, out var proxy);
        Demand(
            ObfuscatedHeader.TryRead(toDc, secret: null, out var dc, out readTransport, out readDc)
                && (readTransport, readDc) == (transport, dcId),
            "does not read the header it wrote for a DC");
        DemandSame(ref proxy, ref dc.ClientToServer);
        DemandSame(ref client.ServerToClient, ref dc.ServerToClient);
    }

    private static void DemandSame(ref AesCtr one, ref AesCtr other) =>
        Demand(Keystream(ref one).AsSpan().SequenceEqual(Keystream(ref other)), "gives the two ends of a stream different keys");

    private static byte[] Keystream(ref AesCtr stream)
    {
        var zeros = new byte[Sample];
        stream.Transform(zeros);
        return zeros;
    }
}
