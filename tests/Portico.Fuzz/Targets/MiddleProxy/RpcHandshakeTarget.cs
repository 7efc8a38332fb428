using Portico.Fuzz.Checking;
using Portico.Protocol;
using Portico.Protocol.MiddleProxy;

namespace Portico.Fuzz.Targets.MiddleProxy;

/// <summary>The answer that ends the handshake of a link.</summary>
internal sealed class RpcHandshakeTarget : WholeTarget
{
    public override string Name => "rpc-handshake";

    public override IReadOnlyCollection<string> Expected { get; } =
        ["Ok", "Invalid UnexpectedMessage", "Invalid WrongHandshakeFlags", "Invalid WrongPeerPid", "Invalid HandshakeRefused"];

    public override IEnumerable<byte[]> Seeds => VectorFile.Bytes("rpc.json", "packets", "payload");

    public override IReadOnlyList<byte[]> Tokens { get; } =
    [
        RpcHandshake.AnonymousPid.ToArray(), BitConverter.GetBytes(RpcConstructors.Handshake),
        BitConverter.GetBytes(RpcConstructors.HandshakeError), [0, 8, 0, 0], [0, 0x10, 0, 0],
    ];

    protected override Outcome Read(ReadOnlySpan<byte> message) =>
        RpcHandshake.TryReadAnswer(message, RpcHandshake.AnonymousPid, out var error)
            ? new Outcome(FrameStatus.Ok, "", RpcHandshake.Length)
            : Outcome.Of(FrameStatus.Invalid, error);
}
