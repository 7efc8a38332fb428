using Portico.Fuzz.Checking;
using Portico.Protocol;
using Portico.Protocol.Framing;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Targets.Framing;

/// <summary>A quick acknowledgement from confirm value to client and back: one byte chooses the framing, four are the value.</summary>
internal sealed class QuickAckTarget : ResumableTarget
{
    private const int Needed = 1 + QuickAckToken.Length;

    public override string Name => "quick-ack";

    public override IReadOnlyCollection<string> Expected { get; } = ["Ok", "NeedMoreData"];

    protected override Outcome Parse(Span<byte> bytes)
    {
        if (bytes.Length < Needed) return Outcome.NeedMoreData;
        var transport = (Transport)(bytes[0] % 3);
        var confirm = bytes[1..Needed];
        confirm[^1] |= 0x80; // Telegram's promise, and how a client knows it
        var wire = new byte[QuickAckToken.Length];
        var back = new byte[QuickAckToken.Length];
        QuickAckToken.Write(transport, confirm, wire);
        var status = FrameCodec.TryReadFromServer(transport, wire, out var frame, out _);
        Demand(
            status == FrameStatus.Ok && frame is { QuickAck: true, PayloadLength: QuickAckToken.Length, Consumed: QuickAckToken.Length },
            "sends what no client takes for an acknowledgement");
        QuickAckToken.Read(transport, wire, back);
        Demand(confirm.SequenceEqual(back), "loses the confirm value on the way");
        return new Outcome(FrameStatus.Ok, "", Needed, new Digest().Add(wire).Value, (int)transport);
    }
}
