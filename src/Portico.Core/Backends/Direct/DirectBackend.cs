using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Portico.Core.Clients;
using Portico.Core.Diagnostics;
using Portico.Core.Handshake;
using Portico.Core.Net;
using Portico.Core.Telegram;

namespace Portico.Core.Backends.Direct;

/// <summary>Step 5 in direct mode: one TCP connection to the data centre that the client named (spec/04). One per loop.</summary>
internal sealed class DirectBackend(LoopServices loop)
{
    private readonly Stack<ConnectRace> _races = new();

    /// <summary>Connects to the first of the DC's addresses that answers (spec/04 section 2).</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<BackendConnected> ConnectAsync(HandshakeState handshake)
    {
        var addresses = loop.Proxy.Directory.Find(handshake.Client.DcId, out var dc);
        var race = _races.TryPop(out var used) ? used : new ConnectRace(loop.Loop);
        try
        {
            race.Begin(handshake, loop.Loop.NowMs + (long)loop.Timeouts.DcConnect.TotalMilliseconds);
            addresses.AddTo(race, loop.Loop.NowMs);
            while (true)
            {
                if (handshake.Session.Client.Failed) return BackendConnected.Failed(CloseReason.ClientReset);
                if (Advance(race, handshake, dc, addresses) is { } connected) return connected;
                handshake.SetDeadline(race.WakeMs);
                if (await handshake.NextEventAsync() == Wake.Shutdown) return BackendConnected.Failed(CloseReason.Shutdown);
            }
        }
        finally
        {
            race.Drop();
            _races.Push(race);
        }
    }

    // Null while there is nothing to do but wait.
    private BackendConnected? Advance(ConnectRace race, HandshakeState handshake, short dc, DcAddresses addresses)
    {
        while (true)
        {
            switch (race.Advance(out var attempt))
            {
                case RaceNews.Failed:
                    loop.Metrics.DcConnect(dc, attempt.Error);
                    if (!IsOurWant(attempt.Error)) addresses.Failed(attempt.Address, loop.Loop.NowMs);
                    break;
                case RaceNews.Overtaken:
                    addresses.Failed(attempt.Address, loop.Loop.NowMs);
                    break;
                case RaceNews.Won:
                    loop.Metrics.DcConnect(dc, attempt.Error);
                    addresses.Worked(attempt.Address, loop.Loop.NowMs);
                    return BackendConnected.Through(DirectRelay.Create(handshake, attempt.Channel!, dc, loop.CountersOf(dc)));
                case RaceNews.NoneLeft:
                    return BackendConnected.Failed(CloseReason.DcConnectFailed);
                case RaceNews.TooLate:
                    return BackendConnected.Failed(CloseReason.DcConnectTimeout);
                default:
                    return null;
            }
        }
    }

    private static bool IsOurWant(SocketError error) => error is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable;
}
