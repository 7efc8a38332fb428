using System.Buffers;
using System.Buffers.Binary;
using Portico.Fuzz.Checking;
using Portico.Fuzz.Searching;
using Portico.Protocol;
using Portico.Protocol.WebProxy;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Targets.WebProxy;

/// <summary>
/// Batches that an app sends in one session. Each stands behind a byte that names its lane (ff = none) and its length in two bytes.
/// A twin gets only those that were accepted: the others must have left no trace.
/// </summary>
internal sealed class WebSessionTarget : WholeTarget
{
    private const int HeadLength = 3;
    private const byte NoLane = 0xff;
    private const int MaxStreams = 3;

    public override string Name => "web-session";

    public override IReadOnlyCollection<string> Expected { get; } =
    [
        "Ok", "Invalid Empty", "Invalid Incomplete", "Invalid UnknownType", "Invalid TooLarge", "Invalid BadPayload",
        "Invalid BadDirection", "Invalid CrossLane", "Invalid StreamReused", "Invalid UnknownStream",
    ];

    public override IEnumerable<byte[]> Seeds =>
        WebSeeds.Cases("sessions").Select(item => Join(item.GetProperty("steps").EnumerateArray().ToArray().Bytes("up")))
            .Concat(WebSeeds.Cases("frames", "batches").Bytes("body").Select(body => Join([body])))
            .Concat(WebSeeds.Cases("frames", "uplink_shape").Bytes("frame").Select(body => Join([body])));

    public override IReadOnlyList<byte[]> Tokens => WebSeeds.Tokens;

    public override byte[]? MutateStructure(byte[] input, SplitMix random)
    {
        byte[] added = Join([WebSeeds.RandomBatch(random)], random.OneIn(6) ? (byte)random.Below(4) : NoLane);
        return random.OneIn(3) || input.Length > MaxLength / 2 ? added : [.. input, .. added];
    }

    protected override Outcome Read(ReadOnlySpan<byte> message)
    {
        var (session, twin, batch) = (new RelayStreams(MaxStreams), new RelayStreams(MaxStreams), new RelayBatch());
        var (digest, last, named) = (new Digest(), WebProxyError.None, new SortedSet<uint>());
        while (message.Length > HeadLength)
        {
            uint? lane = message[0] == NoLane ? null : message[0];
            var length = Math.Min(BinaryPrimitives.ReadUInt16BigEndian(message[1..]), message.Length - HeadLength);
            var body = new ReadOnlySequence<byte>(message.Slice(HeadLength, length).ToArray());
            message = message[(HeadLength + length)..];

            var isAccepted = session.TryAccept(body, lane, batch, out var error);
            Demand(isAccepted == (error == WebProxyError.None), "accepts with an error, or refuses without");
            Demand(isAccepted || batch.Events.IsEmpty, "refuses and acts all the same");
            Demand(session.Count <= MaxStreams, "opens more streams than it may");
            last = isAccepted ? last : error;
            foreach (var one in batch.Events)
            {
                named.Add(one.Stream);
                digest = digest.Add((long)one.Kind).Add(one.Stream).Add(one.SendWindow).Add(one.Payload.ToArray());
            }

            if (isAccepted)
                Demand(twin.TryAccept(body, lane, batch, out _), "is changed by a batch that it refused");
        }

        digest = digest.Add(session.Count);
        Demand(session.Count == twin.Count, "has other streams after a batch that it refused");
        foreach (var stream in named)
        {
            Demand(
                session.Spend(stream, int.MaxValue) == twin.Spend(stream, int.MaxValue), "has other credit after a batch that it refused");
            Demand(session.Close(stream) == twin.Close(stream), "has another stream after a batch that it refused");
        }

        var status = last == WebProxyError.None ? FrameStatus.Ok : FrameStatus.Invalid;
        return new Outcome(status, last == WebProxyError.None ? "" : last.ToString(), 0, digest.Value, Math.Min(named.Count, 7));
    }

    private static byte[] Join(IEnumerable<byte[]> batches, byte lane = NoLane) =>
        [.. batches.SelectMany(batch => (byte[])[lane, (byte)(batch.Length >> 8), (byte)batch.Length, .. batch])];
}
