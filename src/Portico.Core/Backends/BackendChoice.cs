using Portico.Core.Backends.Direct;
using Portico.Core.Backends.MiddleProxy;
using Portico.Core.Handshake;
using Portico.Core.Options;
using Portico.Core.Sessions;

namespace Portico.Core.Backends;

/// <summary>
/// Step 5: which backend a client gets. Telegram's middle proxies alone can carry an ad tag; without one the direct way is shorter and cheaper. One per loop.
/// </summary>
internal sealed class BackendChoice(ProxySettings settings, DirectBackend direct, MiddleProxyBackend middle)
{
    /// <summary>Connects by the way that mode and ad tag ask for.</summary>
    public ValueTask<StepResult> ConnectAsync(HandshakeState handshake) =>
        settings.GoesThroughMiddleProxy(handshake.Result.Credential!) ? middle.ConnectAsync(handshake) : direct.ConnectAsync(handshake);
}
