using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Options;

namespace Portico.Core.Clients;

/// <summary>One listening address: turns accepted channels into sessions. Shared by all loops; what belongs to one loop is in <see cref="LoopServices"/>.</summary>
internal sealed partial class ClientListener(ListenerSettings settings, int index, ImmutableArray<LoopServices> loops, ProxyMetrics metrics, ILogger log) : IAcceptor
{
    private const int PauseLogMs = 60_000;

    private long _pauseLoggedMs = -PauseLogMs;

    public ListenerSettings Settings => settings;

    public void OnAccepted(Channel channel)
    {
        try
        {
            var loop = loops[channel.Loop.Index];
            metrics.Accepted(settings.Name);
            var session = new ClientSession(channel, loop.Listeners[index], loop.Context);
            var handshake = loop.Handshakes.Rent();
            handshake.Begin(session);
            handshake.FinishAfter(session.RunAsync(handshake, loop));
        }
        catch (Exception error) when (!EventLoop.IsFatal(error))
        {
            // One client is lost, and not the loop with all its sessions.
            Log.AcceptFaulted(log, error, settings.Name);
            channel.Close();
        }
    }

    public void OnAcceptPaused(string error)
    {
        metrics.AcceptPaused(settings.Name);

        // A flood of strangers can bring this about many times a second, and must not fill the disk.
        var (now, last) = (Environment.TickCount64, Interlocked.Read(ref _pauseLoggedMs));
        if (now - last < PauseLogMs || Interlocked.CompareExchange(ref _pauseLoggedMs, now, last) != last) return;
        Log.AcceptPaused(log, settings.Name, error);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1001, EventName = "AcceptPaused", Level = LogLevel.Warning, Message = "Listener {Listener}: accepting paused, {Error}; raise the descriptor limit if this repeats")]
        public static partial void AcceptPaused(ILogger logger, string listener, string error);

        [LoggerMessage(EventId = 1002, EventName = "AcceptFaulted", Level = LogLevel.Error, Message = "Listener {Listener}: a client was lost by an exception of the proxy; please report it")]
        public static partial void AcceptFaulted(ILogger logger, Exception error, string listener);
    }
}
