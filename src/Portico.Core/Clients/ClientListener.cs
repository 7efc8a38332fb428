using Microsoft.Extensions.Logging;
using Portico.Core.Admission;
using Portico.Core.Net;
using Portico.Core.Options;

namespace Portico.Core.Clients;

/// <summary>One listening address: turns accepted channels into sessions. Shared by all loops; what belongs to one loop is in <see cref="LoopServices"/>.</summary>
internal sealed partial class ClientListener(ListenerSettings settings, int index, ProxyServices services) : IAcceptor
{
    private const int PauseLogMs = 60_000;

    private readonly ILogger _log = services.Loggers.CreateLogger<ClientListener>();

    private long _pauseLoggedMs = -PauseLogMs;

    public ListenerSettings Settings => settings;

    /// <summary>Position in the settings, and in every loop's list of judges and counters.</summary>
    public int Index => index;

    /// <summary>How many authenticated sessions this listener may have and has.</summary>
    public SessionLimit Limit { get; } = new(services.MostSessionsOf(settings));

    public void OnAccepted(Channel channel)
    {
        try
        {
            var loop = services.Of(channel.Loop);
            services.Metrics.Accepted(settings.Name);
            loop.Handshakes.Rent().Start(new ClientSession(channel, this, loop));
        }
        catch (Exception error) when (!EventLoop.IsFatal(error))
        {
            // One client is lost, and not the loop with all its sessions.
            Log.AcceptFaulted(_log, error, settings.Name);
            channel.Close();
        }
    }

    public void OnAcceptPaused(string error)
    {
        services.Metrics.AcceptPaused(settings.Name);

        // A flood of strangers can bring this about many times a second, and must not fill the disk.
        var (now, last) = (Environment.TickCount64, Interlocked.Read(ref _pauseLoggedMs));
        if (now - last < PauseLogMs || Interlocked.CompareExchange(ref _pauseLoggedMs, now, last) != last) return;
        Log.AcceptPaused(_log, settings.Name, error);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1001, EventName = "AcceptPaused", Level = LogLevel.Warning, Message = "Listener {Listener}: accepting paused, {Error}; raise the descriptor limit if this repeats")]
        public static partial void AcceptPaused(ILogger logger, string listener, string error);

        [LoggerMessage(EventId = 1002, EventName = "AcceptFaulted", Level = LogLevel.Error, Message = "Listener {Listener}: a client was lost by an exception of the proxy; please report it")]
        public static partial void AcceptFaulted(ILogger logger, Exception error, string listener);
    }
}
