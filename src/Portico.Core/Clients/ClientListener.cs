using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Options;

namespace Portico.Core.Clients;

/// <summary>
/// One listening address: turns accepted channels into sessions.
/// Shared by all loops; what belongs to one loop is in <see cref="LoopServices"/>.
/// </summary>
internal sealed partial class ClientListener(
    ListenerSettings settings, int index, ImmutableArray<LoopServices> loops, ProxyMetrics metrics, ILogger log) : IAcceptor
{
    private readonly LineLimit _pauses = new(LineLimit.MinuteMs);
    private readonly LineLimit _faults = new();

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
            if (_faults.TryPass(channel.Loop.NowMs, out var leftOut))
                Log.AcceptFaulted(log, error, settings.Name, leftOut);
            channel.Close();
        }
    }

    public void OnAcceptPaused(string error)
    {
        metrics.AcceptPaused(settings.Name);
        if (_pauses.TryPass(Environment.TickCount64, out var leftOut))
            Log.AcceptPaused(log, settings.Name, error, leftOut);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1001, EventName = "AcceptPaused", Level = LogLevel.Warning,
            Message = "Listener {Listener}: accepting paused, {Error}; raise the descriptor limit if this repeats. "
                + "Left out before this: {LeftOut}")]
        public static partial void AcceptPaused(ILogger logger, string listener, string error, long leftOut);

        [LoggerMessage(EventId = 1002, EventName = "AcceptFaulted", Level = LogLevel.Error,
            Message = "Listener {Listener}: a client was lost by an exception of the proxy; please report it. "
                + "Left out before this: {LeftOut}")]
        public static partial void AcceptFaulted(ILogger logger, Exception error, string listener, long leftOut);
    }
}
