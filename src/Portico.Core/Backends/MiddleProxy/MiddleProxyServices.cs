using Microsoft.Extensions.Logging;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Telegram;
using Portico.Protocol.Crypto;

namespace Portico.Core.Backends.MiddleProxy;

/// <summary>What the pools, links and relays of one loop's middle mode share.</summary>
/// <param name="Loop">The loop.</param>
/// <param name="Metrics">Of the proxy.</param>
/// <param name="Random">Of the loop.</param>
/// <param name="Directory">Where the middle proxies are.</param>
/// <param name="Health">What the operator hears of them.</param>
/// <param name="Counters">Of the loop's data centres.</param>
/// <param name="Log">For lines on links.</param>
/// <param name="Loops">How many loops share the links of a process.</param>
internal sealed record MiddleProxyServices(
    EventLoop Loop, ProxyMetrics Metrics, RandomKeystream Random, MiddleProxyDirectory Directory,
    MiddleProxyHealth Health, DcCounterTable Counters, ILogger Log, int Loops)
{
    /// <summary>Those in force. Replaced on the loop.</summary>
    public required ProxySettings Settings { get; set; }

    /// <summary>Queues for clients that take less than comes for them.</summary>
    public OutputQueuePool OutputQueues { get; } = new();
}
