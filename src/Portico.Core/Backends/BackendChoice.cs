using Portico.Core.Clients;
using Portico.Core.Handshake;

namespace Portico.Core.Backends;

/// <summary>Step 5: which backend a client gets. Telegram's middle proxies alone can carry an ad tag; without one the direct way is shorter and cheaper.</summary>
internal sealed class BackendChoice(LoopServices loop)
{
    /// <summary>Connects by the way that mode and ad tag ask for.</summary>
    public ValueTask<BackendConnected> ConnectAsync(HandshakeState handshake) =>
        UsesMiddle(handshake) ? loop.Middle.ConnectAsync(handshake) : loop.Direct.ConnectAsync(handshake);

    private bool UsesMiddle(HandshakeState handshake) =>
        loop.Proxy.Settings.GoesThroughMiddleProxy(handshake.Session.Listener.Settings.Credentials[handshake.Client.Credential]);
}
