using Microsoft.Extensions.Logging;
using Portico.Core.Admission;
using Portico.Core.Net;
using Portico.Core.Options;

namespace Portico.Core.Clients;

/// <summary>One listening address: turns accepted channels into sessions. Shared by all loops; what belongs to one loop is in <see cref="LoopServices"/>.</summary>
internal sealed partial class ClientListener(ListenerSettings settings, int index, ProxyServices services) : IAcceptor
{
    private readonly ILogger _log = services.Loggers.CreateLogger<ClientListener>();

    public ListenerSettings Settings => settings;

    /// <summary>Position in the settings, and in every loop's list of judges and counters.</summary>
    public int Index => index;

    /// <summary>How many authenticated sessions this listener may have and has.</summary>
    public SessionLimit Limit { get; } = new(settings.MaxConnections);

    public void OnAccepted(Channel channel)
    {
        var loop = services.Of(channel.Loop);
        services.Metrics.Accepted(settings.Name);
        var session = new ClientSession(channel, this, loop);
        loop.Handshakes.Rent().Start(session);
    }

    public void OnAcceptPaused(string error)
    {
        services.Metrics.AcceptPaused(settings.Name);
        Log.AcceptPaused(_log, settings.Name, error);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1001, EventName = "AcceptPaused", Level = LogLevel.Warning, Message = "Listener {Listener}: accepting paused, {Error}; raise the descriptor limit if this repeats")]
        public static partial void AcceptPaused(ILogger logger, string listener, string error);
    }
}
