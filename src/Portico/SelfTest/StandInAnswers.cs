using Portico.Protocol.Mtproto;

namespace Portico.SelfTest;

/// <summary>
/// What the stand-in for Telegram says to a client, whichever way its packet came:
/// it answers req_pq and sends back whatever looks encrypted.
/// </summary>
internal static class StandInAnswers
{
    /// <summary>The answer, or null if there is none. May be <paramref name="packet"/> itself.</summary>
    public static byte[]? To(byte[] packet, SeenByTelegram seen, StandInFault fault)
    {
        if (fault == StandInFault.Silent) return null;
        var asked = PqMessage.Read(packet);
        if (asked.IsRequest)
            return PqCheck.Answer(fault == StandInFault.WrongNonce ? new byte[PqMessage.NonceLength] : asked.Nonce, seen);
        if (asked.Kind != PqMessageKind.Encrypted) return null;
        if (fault == StandInFault.CorruptEcho) packet[packet.Length / 2] ^= 1;
        return packet;
    }
}
