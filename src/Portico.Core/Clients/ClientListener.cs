using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Web;

namespace Portico.Core.Clients;

/// <summary>
/// One listening address: turns accepted channels into sessions.
/// Shared by all loops; what belongs to one loop is in <see cref="LoopServices"/>.
/// </summary>
/// <param name="loops">The steps that its sessions take.</param>
/// <param name="index">Which of their listeners it is.</param>
/// <param name="metrics">Counts what it accepts.</param>
/// <param name="log">Where lines go.</param>
internal sealed partial class ClientListener(ImmutableArray<LoopServices> loops, int index, ProxyMetrics metrics, ILogger log) : IAcceptor
{
    private readonly LineLimit _pauses = new(LineLimit.MinuteMs);
    private volatile Steps _steps = new(loops, index);

    private sealed record Steps(ImmutableArray<LoopServices> Loops, int Index)
    {
        public string Name => Loops[0].Listeners[Index].Name;
    }

    /// <summary>The settings have changed: sessions to come take these steps.</summary>
    public void Serve(ImmutableArray<LoopServices> loops, int index) => _steps = new Steps(loops, index);

    public void OnAccepted(Channel channel)
    {
        var steps = _steps;
        try
        {
            var loop = steps.Loops[channel.Loop.Index];
            metrics.Accepted(steps.Name);
            if (channel is WebStream stream) Begin(stream, loop, steps.Index);
            else Begin(channel, loop, steps.Index);
        }
        catch (Exception error) when (!EventLoop.IsFatal(error))
        {
            // One client is lost, and not the loop with all its sessions.
            Log.AcceptFaulted(log, error, steps.Name);
            channel.Close();
        }
    }

    private static void Begin(Channel channel, LoopServices loop, int index)
    {
        var session = new ClientSession(channel, loop.Listeners[index], loop.Context);
        var handshake = loop.Handshakes.Rent();
        handshake.Begin(session);
        handshake.FinishAfter(session.RunAsync(handshake, loop));
    }

    private static void Begin(WebStream stream, LoopServices loop, int index)
    {
        var session = new StreamSession(stream, loop.Listeners[index], loop.Context);
        var handshake = loop.Handshakes.Rent();
        handshake.Begin(session);
        handshake.FinishAfter(session.RunAsync(handshake, loop));
    }

    public void OnAcceptPaused(string error)
    {
        metrics.AcceptPaused(_steps.Name);
        if (_pauses.TryPass(Environment.TickCount64, out var leftOut))
            Log.AcceptPaused(log, _steps.Name, error, leftOut);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1001, EventName = "AcceptPaused", Level = LogLevel.Warning,
            Message = "Listener {Listener}: accepting paused, {Error}; raise the descriptor limit if this repeats. "
                + "Left out before this: {LeftOut}")]
        public static partial void AcceptPaused(ILogger logger, string listener, string error, long leftOut);

        [LoggerMessage(EventId = 1002, EventName = "AcceptFaulted", Level = LogLevel.Error,
            Message = "Listener {Listener}: a client was lost by an exception of the proxy; please report it")]
        public static partial void AcceptFaulted(ILogger logger, Exception error, string listener);
    }
}
