using Portico.Fuzz.Checking;
using Portico.Protocol;
using Portico.Protocol.Framing;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Targets.Framing;

/// <summary>The first packet of a stream, as the proxy reads it from a client or a client from the proxy.</summary>
internal sealed class FrameTarget<TCodec>(bool fromServer) : ResumableTarget
    where TCodec : struct, IFrameCodec<TCodec>
{
    // Bodies longer than this are not made up to see whether an announced length was true.
    private const int LongestCompletion = 1 << 15;

    public override string Name => $"frame-{TCodec.Transport.ToString().ToLowerInvariant()}-from-{(fromServer ? "server" : "client")}";

    public override IReadOnlyCollection<string> Expected { get; } =
    [
        "Ok", "NeedMoreData", "Invalid ZeroLength",
        TCodec.Transport == Transport.Abridged ? "Invalid AbridgedMaxSize" : "Invalid IntermediateMaxSize",
        .. TCodec.Transport == Transport.Intermediate ? ["Invalid Unaligned"] : Array.Empty<string>(),
    ];

    public override IEnumerable<byte[]> Seeds => VectorFile.Bytes("transports.json", "decode", "stream")
        .Concat(VectorFile.Bytes("transports.json", "encode", "frame"))
        .Concat(VectorFile.Bytes("transports.json", "quick_ack_to_client", "wire"))
        .Where(bytes => bytes.Length <= MaxLength);

    public override IReadOnlyList<byte[]> Tokens { get; } =
    [
        [0x7f, 0, 0, 4], [0x7f, 0xff, 0xff, 3], [0xff, 1, 0, 0], [0, 0, 0x10, 0], [0xff, 0xff, 0x0f, 0],
        [0, 0, 0, 1], [0xff, 0xff, 0xff, 0], [0xff, 0xff, 0xff, 0xff, 1, 2, 3, 0x84], [8, 0, 0, 0x80], [8, 0, 0, 0],
    ];

    protected override Outcome Parse(Span<byte> bytes)
    {
        var status = Read(bytes, out var frame, out var reason);
        if (status != FrameStatus.Ok) return Outcome.Of(status, reason);

        Demand(
            reason == ProtocolError.None && frame.PayloadOffset >= 0 && frame.PayloadLength > 0
                && frame.PayloadOffset + frame.PayloadLength <= frame.Consumed,
            "gives a payload outside its packet");
        Demand(
            frame.PayloadLength % FrameCodec.Alignment == 0
                && frame.Consumed - frame.PayloadOffset - frame.PayloadLength <= 3 + (frame.QuickAck ? 8 : 0),
            "gives a payload that is not made of words, or too much padding");
        var digest =
            new Digest().Add(frame.PayloadOffset).Add(frame.PayloadLength).Add(bytes.Slice(frame.PayloadOffset, frame.PayloadLength));
        return new Outcome(
            status, "", frame.Consumed, digest.Value,
            frame.PayloadOffset * 8 + (frame.Consumed - frame.PayloadLength) % 4 * 2 + (frame.QuickAck ? 1 : 0));
    }

    protected override void CheckResult(ReadOnlySpan<byte> input, Outcome outcome)
    {
        var status = Read(input, out var frame, out _);
        if (status == FrameStatus.NeedMoreData && frame.Consumed is > 0 and <= LongestCompletion)
        {
            Demand(frame.Consumed > input.Length, "waits for bytes that are there");
            var complete = new byte[frame.Consumed];
            input.CopyTo(complete);
            Demand(
                Read(complete, out var later, out _) == FrameStatus.Ok && later.Consumed == frame.Consumed,
                "announces a packet and then does not take it");
            Demand(
                Read(complete.AsSpan(0, complete.Length - 1), out _, out _) == FrameStatus.NeedMoreData,
                "announces more bytes than it needs");
        }

        if (status == FrameStatus.Ok && !(fromServer && frame.QuickAck))
            CheckRewriting(input, frame);
    }

    private static void CheckRewriting(ReadOnlySpan<byte> input, Frame frame)
    {
        var payload = input.Slice(frame.PayloadOffset, frame.PayloadLength);
        var padding = input[(frame.PayloadOffset + frame.PayloadLength)..frame.Consumed];
        var written = new byte[TCodec.MaxHeader + payload.Length + padding.Length];
        var length = FrameCodec.Write<TCodec>(written, payload, padding, frame.QuickAck);
        var packet = input[..frame.Consumed];
        // The long form of a short abridged packet is read but not written.
        var isOverlong = TCodec.Transport == Transport.Abridged && length != packet.Length;
        Demand(
            isOverlong ? frame.PayloadOffset == 4 && length == packet.Length - 3 : packet.SequenceEqual(written.AsSpan(0, length)),
            "does not write what it read");
        Demand(
            TCodec.TryRead(written.AsSpan(0, length), out var again, out _) == FrameStatus.Ok
                && (again.PayloadLength, again.QuickAck) == (frame.PayloadLength, frame.QuickAck),
            "does not read what it wrote");
    }

    private FrameStatus Read(ReadOnlySpan<byte> bytes, out Frame frame, out ProtocolError reason) =>
        fromServer ? TCodec.TryReadFromServer(bytes, out frame, out reason) : TCodec.TryRead(bytes, out frame, out reason);
}
