using Portico.Core.Admission;
using Portico.Core.Diagnostics;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Obfuscation;

namespace Portico.Core.Handshake;

/// <summary>Step 3: may somebody come in who has proved to know a secret? Whoever may not is a stranger like any other.</summary>
internal static class AdmissionControl
{
    /// <summary>Asks the memory of replays, then the limits.</summary>
    /// <param name="handshake">With the raw bytes that the judge has seen.</param>
    /// <param name="lease">What was taken for the session, if it may come in.</param>
    /// <param name="refusal">Why it may not.</param>
    public static bool TryAdmit(HandshakeState handshake, out SessionLease lease, out CloseReason refusal)
    {
        lease = default;
        if (!IsFirst(handshake, out refusal)) return false;
        refusal = CloseReason.ConnectionLimit;
        if (!handshake.Session.Listener.Limit.TryEnter(out lease))
        {
            // With a cover the session ends like any stranger's: only this tells the operator.
            handshake.Session.Loop.Metrics.OverLimit(handshake.Session.Listener.Settings.Name);
            return false;
        }

        handshake.Session.LeaveAddress(); // from here on it counts as a client, not as one of its address
        return true;
    }

    private static bool IsFirst(HandshakeState handshake, out CloseReason refusal)
    {
        var (client, now) = (handshake.Client, handshake.Loop.NowMs / 1000);
        var replays = handshake.Session.Loop.Proxy.Replays;
        refusal = CloseReason.ReplaySessionDetected;
        return client.IsTls
            ? replays.TryEnterHello(HelloDigest.ReplayFingerprint(client.Random), client.Timestamp, now, out refusal)
            : replays.TryEnterHeader(ObfuscatedHeader.ReplayFingerprint(handshake.Raw), now);
    }
}
