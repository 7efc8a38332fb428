using System.Buffers.Binary;
using Portico.Protocol;
using Portico.Protocol.MiddleProxy;
using Portico.Protocol.Mtproto;

namespace Portico.SelfTest;

/// <summary>What Telegram was told of a client, which the client compares with what it said.</summary>
/// <param name="DcId">Signed id of the data centre.</param>
/// <param name="Transport">The framing of the client's packets.</param>
/// <param name="AdTag">Whose channel the client is to be shown; null = none, always so in direct mode.</param>
internal sealed record SeenByTelegram(short DcId, Transport Transport, AdTag? AdTag = null)
{
    // Enough of the tag to tell one from another and from none.
    private const int TagStart = 3, TagPart = PqMessage.NonceLength - TagStart;

    /// <summary>As 16 bytes, for the one field of resPQ that a server may fill as it likes.</summary>
    public void WriteTo(Span<byte> serverNonce)
    {
        serverNonce[..PqMessage.NonceLength].Clear();
        BinaryPrimitives.WriteInt16LittleEndian(serverNonce, DcId);
        serverNonce[2] = (byte)Transport;
        AdTag?.Bytes[..TagPart].CopyTo(serverNonce[TagStart..]);
    }
}
