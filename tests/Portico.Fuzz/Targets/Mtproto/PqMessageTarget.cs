using System.Buffers.Binary;
using Portico.Fuzz.Checking;
using Portico.Protocol;
using Portico.Protocol.Mtproto;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Targets.Mtproto;

/// <summary>The first question of a client and its answer.</summary>
internal sealed class PqMessageTarget : WholeTarget
{
    public override string Name => "pq-message";

    public override IReadOnlyCollection<string> Expected { get; } =
        ["Ok Encrypted", "Ok Unknown", "Ok ReqPq", "Ok ReqPqMulti", "Ok ResPq", "Invalid Malformed"];

    public override IEnumerable<byte[]> Seeds =>
    [
        .. VectorFile.Bytes("pq.json", "exchanges", "request"), .. VectorFile.Bytes("pq.json", "exchanges", "answer"),
        .. VectorFile.Bytes("pq.json", "refused", "packet"),
    ];

    public override IReadOnlyList<byte[]> Tokens { get; } =
    [
        new byte[8], [20, 0, 0, 0], [64, 0, 0, 0], [0x78, 0x97, 0x46, 0x60], [0xf1, 0x8e, 0x7e, 0xbe], [0x63, 0x24, 0x16, 0x05],
        [0x15, 0xc4, 0xb5, 0x1c], [1, 0, 0, 0x20], [8], [0xfe, 0xff, 0xff, 0xff],
    ];

    protected override Outcome Read(ReadOnlySpan<byte> message)
    {
        var read = PqMessage.Read(message);
        if (read.Kind == PqMessageKind.Malformed)
            return Outcome.Of(FrameStatus.Invalid, read.Kind);
        var written = new byte[PqMessage.AnswerLength];
        if (read.IsRequest)
        {
            var length = PqMessage.WriteRequest(written, read.Kind == PqMessageKind.ReqPqMulti, read.MessageId, read.Nonce);
            Demand(read.Nonce.SequenceEqual(PqMessage.Read(written.AsSpan(0, length)).Nonce), "does not read what it wrote");
        }

        if (read.Kind == PqMessageKind.ResPq)
        {
            Demand(!read.Pq.IsEmpty && read.Fingerprints.Length % sizeof(ulong) == 0, "gives fields that no answer has");
            Demand(read.Nonce.Length == PqMessage.NonceLength && read.ServerNonce.Length == PqMessage.NonceLength, "gives short nonces");
            if (read.Pq.Length == sizeof(ulong) && read.Fingerprints.Length == sizeof(ulong))
            {
                PqMessage.WriteAnswer(
                    written, read.MessageId, read.Nonce, read.ServerNonce, BinaryPrimitives.ReadUInt64BigEndian(read.Pq),
                    BinaryPrimitives.ReadUInt64LittleEndian(read.Fingerprints));
                Demand(read.Pq.SequenceEqual(PqMessage.Read(written).Pq), "does not read what it wrote");
            }
        }

        var digest = new Digest().Add(read.MessageId).Add(read.Nonce).Add(read.ServerNonce).Add(read.Pq).Add(read.Fingerprints);
        return new Outcome(FrameStatus.Ok, read.Kind.ToString(), 0, digest.Value);
    }
}
