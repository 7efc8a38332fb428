using Portico.Core.Backends.Direct;
using Portico.Core.Backends.MiddleProxy;
using Portico.Core.Diagnostics;
using Portico.Core.Handshake;
using Portico.Core.Options;
using Portico.Core.Sessions;
using Portico.Core.Telegram;
using Portico.Protocol.TelegramConfig;

namespace Portico.Core.Backends;

/// <summary>
/// Step 5: which backend a client gets. Telegram's middle proxies alone can carry an ad tag;
/// without one the direct way is shorter and cheaper. One per loop and state of the settings.
/// </summary>
internal sealed class BackendChoice(
    ProxySettings settings, DcDirectory dcs, MiddleProxyDirectory middles, DirectBackend direct, MiddleProxyBackend middle)
{
    /// <summary>Connects by the way that mode, ad tag and data centre ask for.</summary>
    public ValueTask<StepResult> ConnectAsync(HandshakeState handshake)
    {
        var wanted = handshake.Result.DcId;
        // Elsewhere than at the test site its clients have no account:
        // no default may serve them, and no middle proxy that is not named for them.
        if (!DcTable.IsTest(wanted) || IsOnList(wanted))
            return UsesMiddle(handshake, wanted) ? middle.ConnectAsync(handshake) : direct.ConnectAsync(handshake);
        return dcs.Reaches(wanted) ? direct.ConnectAsync(handshake) : ValueTask.FromResult(StepResult.NoBackend(CloseReason.UnknownDc));
    }

    private bool UsesMiddle(HandshakeState handshake, short wanted) =>
        settings.GoesThroughMiddleProxy(handshake.Result.Credential!)
        || (settings.MediaGoesThroughMiddleProxy && DcTable.IsMedia(wanted) && IsOnList(wanted));

    private bool IsOnList(short wanted) => middles.Current.Names(wanted);
}
