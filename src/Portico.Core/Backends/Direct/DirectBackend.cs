using System.Net;
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
    // RFC 8305 section 5 recommends 250 ms between attempts.
    private const int NextAttemptMs = 250;

    /// <summary>Connects, the next address starting while earlier ones are still trying; the first through wins (spec/04 section 2).</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<BackendConnected> ConnectAsync(HandshakeState handshake)
    {
        var addresses = loop.Proxy.Directory.Find(handshake.Client.DcId, out var dc);
        var (first, started) = (addresses.First, 0);
        var giveUpMs = loop.Loop.NowMs + (long)loop.Timeouts.DcConnect.TotalMilliseconds;
        var nextMs = loop.Loop.NowMs;
        while (true)
        {
            if (handshake.Session.Client.Failed) return BackendConnected.Failed(CloseReason.ClientReset);
            if (TakeWinner(handshake, dc, addresses, ref nextMs) is { } winner) return BackendConnected.Through(DirectRelay.Create(handshake, winner, dc, loop.CountersOf(dc)));
            while (started < addresses.Count && loop.Loop.NowMs >= nextMs)
            {
                nextMs = Start(handshake, dc, addresses.At(first, started++)) ? loop.Loop.NowMs + NextAttemptMs : loop.Loop.NowMs;
            }

            var exhausted = started == addresses.Count;
            if (exhausted && handshake.Attempts.Count == 0) return BackendConnected.Failed(CloseReason.DcConnectFailed);
            if (loop.Loop.NowMs >= giveUpMs) return TimedOut(handshake, dc);
            handshake.SetDeadline(exhausted ? giveUpMs : Math.Min(nextMs, giveUpMs));
            if (await handshake.NextEventAsync() == Wake.Shutdown) return BackendConnected.Failed(CloseReason.Shutdown);
        }
    }

    private bool Start(HandshakeState handshake, int dc, IPEndPoint address)
    {
        if (loop.Loop.Connect(address, handshake, out var error) is { } attempt)
        {
            handshake.Attempts.Add(new DcAttempt(attempt, address));
            return true;
        }

        loop.Metrics.DcConnect(dc, error);
        return false;
    }

    // Failed attempts leave the list and let the next address start at once.
    private Channel? TakeWinner(HandshakeState handshake, int dc, DcAddresses addresses, ref long nextMs)
    {
        for (var i = handshake.Attempts.Count - 1; i >= 0; i--)
        {
            var (channel, address) = handshake.Attempts[i];
            if (!channel.CanWrite) continue;
            handshake.Attempts.RemoveAt(i);
            var result = channel.Failed ? channel.ConnectResult() : SocketError.Success;
            if (channel.Failed && result == SocketError.Success) result = SocketError.ConnectionReset;
            loop.Metrics.DcConnect(dc, result);
            if (result == SocketError.Success)
            {
                addresses.Won(address);
                handshake.DropAttempts();
                return channel;
            }

            channel.Close();
            nextMs = loop.Loop.NowMs;
        }

        return null;
    }

    private BackendConnected TimedOut(HandshakeState handshake, int dc)
    {
        foreach (var _ in handshake.Attempts) loop.Metrics.DcConnect(dc, SocketError.TimedOut);
        return BackendConnected.Failed(CloseReason.DcConnectTimeout);
    }
}

/// <summary>A connection to a DC under way.</summary>
internal readonly record struct DcAttempt(Channel Channel, IPEndPoint Address);
