using Portico.Fuzz.Checking;
using Portico.Protocol;
using Portico.Protocol.MiddleProxy;

namespace Portico.Fuzz.Targets.MiddleProxy;

/// <summary>The first message of a link.</summary>
internal sealed class RpcNonceTarget : WholeTarget
{
    private const uint Selector = 0x31f77d84; // of the vectors

    public override string Name => "rpc-nonce";

    public override IReadOnlyCollection<string> Expected { get; } =
        ["Ok", "Invalid UnexpectedMessage", "Invalid WrongCryptoSchema", "Invalid WrongKeySelector"];

    public override IEnumerable<byte[]> Seeds => VectorFile.Bytes("rpc.json", "packets", "payload");

    protected override Outcome Read(ReadOnlySpan<byte> message)
    {
        if (!RpcNonce.TryRead(message, Selector, out var nonce, out var error))
            return Outcome.Of(FrameStatus.Invalid, error);
        var written = new byte[RpcNonce.Length];
        RpcNonce.Write(written, Selector, nonce.Timestamp, nonce.Nonce);
        ContractException.Demand(message.SequenceEqual(written), "does not write what it read");
        return new Outcome(FrameStatus.Ok, "", RpcNonce.Length, new Digest().Add(nonce.Timestamp).Add(nonce.Nonce).Value);
    }
}
