using Portico.Protocol.Framing;
using Xunit;

namespace Portico.Protocol.Tests.Framing;

/// <summary>The codecs in the shapes that tests like.</summary>
internal static class Codecs
{
    public static TheoryData<Transport> All => [.. Enum.GetValues<Transport>()];

    public static ResumableParser<(Frame Frame, ProtocolError Reason)> FromClient(Transport transport) =>
        (ReadOnlySpan<byte> bytes, out (Frame Frame, ProtocolError Reason) result) =>
            FrameCodec.TryRead(transport, bytes, out result.Frame, out result.Reason);

    public static ResumableParser<(Frame Frame, ProtocolError Reason)> FromServer(Transport transport) =>
        (ReadOnlySpan<byte> bytes, out (Frame Frame, ProtocolError Reason) result) =>
            FrameCodec.TryReadFromServer(transport, bytes, out result.Frame, out result.Reason);

    public static byte[] Write(Transport transport, ReadOnlySpan<byte> payload, ReadOnlySpan<byte> padding, bool quickAck)
    {
        var wire = new byte[8 + payload.Length + padding.Length];
        var length = transport switch
        {
            Transport.Abridged => FrameCodec.Write<AbridgedCodec>(wire, payload, padding, quickAck),
            Transport.Intermediate => FrameCodec.Write<IntermediateCodec>(wire, payload, padding, quickAck),
            Transport.Padded => FrameCodec.Write<PaddedIntermediateCodec>(wire, payload, padding, quickAck),
            _ => throw new ArgumentOutOfRangeException(nameof(transport)),
        };
        return wire[..length];
    }
}
