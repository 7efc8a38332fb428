using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Portico.Core.Net;

namespace Portico.Core.Diagnostics;

/// <summary>
/// What this machine, or a limit of it, has too little of for our connections. Neither Telegram nor the cover is to blame for these, so
/// they have warnings of their own, each with the limit's name and the remedy. Shared by all loops.
/// </summary>
internal sealed partial class Shortages(ILogger log)
{
    private readonly LineLimit _descriptors = new(LineLimit.MinuteMs);
    private readonly LineLimit _memory = new(LineLimit.MinuteMs);
    private readonly LineLimit _ports = new(LineLimit.MinuteMs);

    /// <summary>A connection was not opened for this want.</summary>
    /// <param name="error">One that <see cref="ConnectErrors.IsOurWant"/> calls ours.</param>
    /// <param name="nowMs">Monotonic.</param>
    public void Note(SocketError error, long nowMs)
    {
        var lines = error switch
        {
            SocketError.TooManyOpenSockets => _descriptors,
            SocketError.AddressNotAvailable => _ports,
            _ => _memory,
        };
        if (!lines.TryPass(nowMs, out var before)) return;
        if (lines == _descriptors) Log.NoDescriptors(log, before + 1, DescriptorReserve.Limit());
        else if (lines == _ports) Log.NoPorts(log, before + 1, ProcessLimits.LocalPorts());
        else Log.NoMemory(log, before + 1);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1801, EventName = "NoDescriptors", Level = LogLevel.Warning,
            Message = "Connections not opened for want of file descriptors, since the last such line: {Count}. RLIMIT_NOFILE is {Limit}; "
                + "raise it (LimitNOFILE= of the service, --ulimit nofile= of the container), or fs.file-max where the machine is short")]
        public static partial void NoDescriptors(ILogger logger, long count, long limit);

        [LoggerMessage(EventId = 1802, EventName = "NoSocketMemory", Level = LogLevel.Warning,
            Message = "Connections not opened for want of memory for sockets, since the last such line: {Count}. Give the machine or its "
                + "container more memory, or raise net.ipv4.tcp_mem and fs.epoll.max_user_watches")]
        public static partial void NoMemory(ILogger logger, long count);

        [LoggerMessage(EventId = 1803, EventName = "NoLocalPorts", Level = LogLevel.Warning,
            Message = "Connections not opened for want of local ports, since the last such line: {Count}. "
                + "net.ipv4.ip_local_port_range has {Ports} of them for each address of a data centre or a cover; "
                + "widen it, set net.ipv4.tcp_tw_reuse to 1 where the cover is another machine, or use middle mode, which needs few")]
        public static partial void NoPorts(ILogger logger, long count, int ports);
    }
}
