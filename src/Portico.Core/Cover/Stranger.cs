using Portico.Core.Clients;
using Portico.Core.Handshake;
using Portico.Protocol.FakeTls;

namespace Portico.Core.Cover;

/// <summary>
/// Step 2: what somebody sees who is not ours. Without a cover a hello that no TLS server could decode, or that names no host, gets a TLS
/// server's answer to such a hello; everybody else sees the connection closed without a byte (spec/02 sections 8 and 10.2).
/// </summary>
internal static class Stranger
{
    /// <summary>Takes the client over from the handshake.</summary>
    public static void PassOn(ClientSession session, HandshakeState handshake, CloseReason reason)
    {
        if (session.Loop.Proxy.LearnerHellos.Recognize(handshake.Raw.AsSpan(0, handshake.RawLength)))
        {
            // Our own question to the cover has come back to us: nobody to be shown anything, least of all the cover.
            handshake.DropRaw();
            LastWords.Fin(session, reason);
            return;
        }

        session.CountProtocolError(reason);
        handshake.DropRaw();
        if (reason is CloseReason.TlsBadClientHello or CloseReason.TlsNoSni) handshake.Send(TlsAlert.DecodeError);
        LastWords.Fin(session, reason);
    }
}
