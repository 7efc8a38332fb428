using Portico.Fuzz.Checking;
using Portico.Fuzz.Searching;
using Portico.Protocol;
using Portico.Protocol.WebSockets;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Targets.WebSockets;

/// <summary>What a client sends on a WebSocket, whole, in two parts and byte by byte.</summary>
internal sealed class WebSocketTarget : WholeTarget
{
    private static readonly int[] Opcodes = [0, 1, 2, 2, 8, 9, 10];

    public override string Name => "web-socket";

    public override IReadOnlyCollection<string> Expected { get; } = ["Ok", "Invalid Incomplete", "Invalid Frame"];

    public override IEnumerable<byte[]> Seeds =>
    [
        Convert.FromHexString("828537fa213d7f9f4d5158"),
        Convert.FromHexString("028337fa213d7f9f4d898037fa213d808237fa213d5b95"),
        Convert.FromHexString("888237fa213d3412"),
        Convert.FromHexString("82fe0100"),
        Convert.FromHexString("8205"),
    ];

    public override IReadOnlyList<byte[]> Tokens =>
    [
        [0x82], [0x02], [0x80], [0x00], [0x88], [0x89], [0x8a], [0x81], [0xfd], [0xfe], [0xfe, 0x00, 0x7e],
        [0xff, 0, 0, 0, 0, 0, 1, 0, 0],
    ];

    public override byte[]? MutateStructure(byte[] input, SplitMix random)
    {
        var bytes = new List<byte>();
        for (var frames = random.Below(5); frames >= 0; frames--)
        {
            var payload = new byte[random.Below(130)];
            bytes.Add((byte)((random.Below(3) == 0 ? 0 : 0x80) | random.Pick(Opcodes)));
            bytes.AddRange(payload.Length < 126 ? [(byte)(0x80 | payload.Length)] : [0xfe, 0, (byte)payload.Length]);
            bytes.AddRange(BitConverter.GetBytes(random.Below(int.MaxValue)));
            bytes.AddRange(payload);
        }

        return [.. bytes];
    }

    protected override Outcome Read(ReadOnlySpan<byte> message)
    {
        var whole = InParts(message, message.Length);
        Demand(whole == InParts(message, Math.Max(1, message.Length / 2)), "depends on how it is cut");
        Demand(whole == InParts(message, 1), "is something else byte by byte");
        return whole;
    }

    // The digest is of the messages, whatever pieces they come in.
    private static Outcome InParts(ReadOnlySpan<byte> message, int part)
    {
        var digest = new Digest();
        var reader = new WebSocketReader();
        var (kept, payload, events) = (Array.Empty<byte>(), new List<byte>(), 0);
        for (var at = 0; at < message.Length; at += part)
        {
            kept = [.. kept, .. message.Slice(at, Math.Min(part, message.Length - at))];
            while (true)
            {
                var piece = reader.Read(kept, out var consumed);
                Demand(consumed <= kept.Length && piece.Start + piece.Length <= kept.Length, "points behind what it was shown");
                if (piece.Kind == WebSocketPieceKind.Invalid)
                    return new Outcome(FrameStatus.Invalid, "Frame", 0, digest.Value, Math.Min(events, 5));
                var bytes = kept[piece.Start..(piece.Start + piece.Length)];
                kept = kept[consumed..];
                if (piece.Kind == WebSocketPieceKind.None) break;
                if (piece.Kind == WebSocketPieceKind.Payload)
                {
                    payload.AddRange(bytes);
                    if (!piece.IsEnd) continue;
                    bytes = [.. payload];
                    payload.Clear();
                }

                events++;
                digest = digest.Add((long)piece.Kind).Add(bytes);
            }
        }

        return kept.Length == 0 && payload.Count == 0
            ? new Outcome(FrameStatus.Ok, "", 0, digest.Value, Math.Min(events, 5))
            : new Outcome(FrameStatus.Invalid, "Incomplete", 0, digest.Value, Math.Min(events, 5));
    }
}
