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
        if (PqMessages.TryReadRequest(packet, out var nonce))
            return PqMessages.Answer(fault == StandInFault.WrongNonce ? new byte[PqMessages.NonceLength] : nonce, seen);
        if (PqMessages.IsUnencrypted(packet)) return null;
        if (fault == StandInFault.CorruptEcho) packet[packet.Length / 2] ^= 1;
        return packet;
    }
}
