using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Portico.Core.Diagnostics;
using Portico.Core.Handshake;
using Portico.Core.Net;
using Portico.Core.Sessions;
using Portico.Core.Telegram;

namespace Portico.Core.Backends.Direct;

/// <summary>
/// Step 5 in direct mode: one TCP connection to the data centre that the client named (spec/04).
/// One per loop and state of the settings.
/// </summary>
internal sealed class DirectBackend(
    LoopContext context, DcDirectory directory, DcCounterTable counters, DirectLimits limits, DcHealth health, LocalAddresses from)
{
    // Apps give up before we do. One that leaves after so long without an answer tells what our own end of the wait would have told.
    private const int LongMs = 4000;

    private readonly Stack<ConnectRace> _races = new();

    /// <summary>Connects to the first of the DC's addresses that answers (spec/04 section 2).</summary>
    [AsyncMethodBuilder(typeof(StepMethodBuilder<>))]
    public async ValueTask<StepResult> ConnectAsync(HandshakeState handshake)
    {
        var addresses = directory.Find(handshake.Result.DcId, out var dc);
        var beganMs = context.Loop.NowMs;
        var race = _races.TryPop(out var used) ? used : new ConnectRace(context.Loop);
        try
        {
            race.Begin(handshake, beganMs + (long)context.Timeouts.DcConnect.TotalMilliseconds, from);
            addresses.AddTo(race, beganMs);
            while (true)
            {
                if (handshake.Session.Client.Failed)
                {
                    if (context.Loop.NowMs - beganMs >= LongMs)
                    {
                        context.Metrics.DcConnect(dc, SocketError.TimedOut);
                        health.Failed(addresses.Dc, race, context.Loop.NowMs);
                    }

                    return StepResult.NoBackend(CloseReason.ClientReset);
                }

                if (Advance(race, handshake, dc, addresses, beganMs) is { } connected)
                    return connected;
                handshake.SetDeadline(race.WakeMs);
                if (await handshake.NextEventAsync() == Wake.Shutdown)
                    return StepResult.NoBackend(CloseReason.Shutdown);
            }
        }
        finally
        {
            race.Drop();
            _races.Push(race);
        }
    }

    // Null while there is nothing to do but wait.
    private StepResult? Advance(ConnectRace race, HandshakeState handshake, short dc, DcAddresses addresses, long beganMs)
    {
        while (true)
        {
            switch (race.Advance(out var attempt))
            {
                case RaceNews.Failed:
                    context.Metrics.DcConnect(dc, attempt.Error);
                    if (!ConnectErrors.IsOurWant(attempt.Address, attempt.Error))
                        addresses.Failed(attempt.Address, context.Loop.NowMs);
                    break;
                case RaceNews.Overtaken:
                    addresses.Failed(attempt.Address, context.Loop.NowMs);
                    break;
                case RaceNews.Won:
                    context.Metrics.DcConnected(dc, context.Loop.NowMs - beganMs);
                    addresses.Worked(attempt.Address, context.Loop.NowMs);
                    health.Worked(addresses.Dc);
                    return handshake.Through(DirectRelay.Create(handshake, attempt.Channel!, dc, counters.Of(dc), limits));
                case RaceNews.NoneLeft:
                    health.Failed(addresses.Dc, race, context.Loop.NowMs);
                    return StepResult.NoBackend(CloseReason.DcConnectFailed);
                case RaceNews.TooLate:
                    health.Failed(addresses.Dc, race, context.Loop.NowMs);
                    return StepResult.NoBackend(CloseReason.DcConnectTimeout);
                default:
                    return null;
            }
        }
    }
}
