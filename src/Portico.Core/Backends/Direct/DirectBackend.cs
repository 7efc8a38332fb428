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

    private readonly Dictionary<int, DcCounters> _counters = [];

    /// <summary>Counters of every DC that was asked for.</summary>
    public IEnumerable<DcCounters> Counters
    {
        get
        {
            lock (_counters) return [.. _counters.Values];
        }
    }

    /// <summary>Connects, the next address starting while earlier ones are still trying; the first through wins (spec/04 section 2).</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<DirectConnected> ConnectAsync(HandshakeState handshake)
    {
        var addresses = loop.Proxy.Directory.Find(handshake.Client.DcId, out var dc);
        var (first, started) = (addresses.First, 0);
        var giveUpMs = loop.Loop.NowMs + (long)loop.Timeouts.DcConnect.TotalMilliseconds;
        var nextMs = loop.Loop.NowMs;
        while (true)
        {
            if (handshake.Session.Client.Failed) return DirectConnected.Failed(CloseReason.ClientReset);
            if (TakeWinner(handshake, dc, addresses, ref nextMs) is { } winner) return DirectConnected.Through(DirectRelay.Create(handshake, winner, dc, CountersOf(dc)));
            while (started < addresses.Count && loop.Loop.NowMs >= nextMs)
            {
                nextMs = Start(handshake, dc, addresses.At(first, started++)) ? loop.Loop.NowMs + NextAttemptMs : loop.Loop.NowMs;
            }

            var exhausted = started == addresses.Count;
            if (exhausted && handshake.Attempts.Count == 0) return DirectConnected.Failed(CloseReason.DcConnectFailed);
            if (loop.Loop.NowMs >= giveUpMs) return TimedOut(handshake, dc);
            handshake.SetDeadline(exhausted ? giveUpMs : Math.Min(nextMs, giveUpMs));
            if (await handshake.NextEventAsync() == Wake.Shutdown) return DirectConnected.Failed(CloseReason.Shutdown);
        }
    }

    private DcCounters CountersOf(int dc)
    {
        lock (_counters)
        {
            if (!_counters.TryGetValue(dc, out var counters)) _counters[dc] = counters = new DcCounters(dc);
            return counters;
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

    private DirectConnected TimedOut(HandshakeState handshake, int dc)
    {
        foreach (var _ in handshake.Attempts) loop.Metrics.DcConnect(dc, SocketError.TimedOut);
        return DirectConnected.Failed(CloseReason.DcConnectTimeout);
    }
}

/// <summary>A connection to a DC under way.</summary>
internal readonly record struct DcAttempt(Channel Channel, IPEndPoint Address);

/// <summary>The outcome of step 5.</summary>
internal readonly record struct DirectConnected(DirectRelay? Relay, CloseReason Reason)
{
    /// <summary>Nobody is left to say goodbye to, or no time.</summary>
    public bool IsGone => Relay is null && Reason is CloseReason.ClientReset or CloseReason.Shutdown;

    public static DirectConnected Through(DirectRelay relay) => new(relay, default);

    public static DirectConnected Failed(CloseReason reason) => new(null, reason);
}
