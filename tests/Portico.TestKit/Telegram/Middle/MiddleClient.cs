using System.Net;
using Portico.Protocol;
using Portico.Protocol.MiddleProxy;

namespace Portico.TestKit.Telegram.Middle;

/// <summary>
/// A client as a middle proxy knows it: one connection id on one link.
/// A client that moved to another link is another one.
/// </summary>
public sealed class MiddleClient
{
    private readonly MiddleRequest _first;
    private int _requestCount;
    private int _closeConnCount;
    private int _answerCount;
    private volatile bool _isClosedByServer;

    internal MiddleClient(MiddleRequest first) => _first = first;

    public long Id => _first.ConnectionId;

    /// <summary>Its address, as the proxy says.</summary>
    public IPEndPoint Endpoint => _first.Client;

    public Transport Transport => _first.Transport;

    public AdTag? AdTag => _first.AdTag;

    public int RequestCount => Volatile.Read(ref _requestCount);

    /// <summary>How often the proxy has said RPC_CLOSE_CONN for it.</summary>
    public int CloseConnCount => Volatile.Read(ref _closeConnCount);

    /// <summary>How many RPC_PROXY_ANS and RPC_SIMPLE_ACK were sent for it.</summary>
    public int AnswerCount => Volatile.Read(ref _answerCount);

    /// <summary>Whether RPC_CLOSE_EXT or RPC_CLOSE_CONN was sent for it.</summary>
    public bool IsClosedByServer => _isClosedByServer;

    /// <summary>Whether neither side has closed it. The end of the link does not count.</summary>
    public bool IsOpen => CloseConnCount == 0 && !IsClosedByServer;

    // What came in Sink frames, for Report; touched by the answering task only.
    internal ulong SinkFrames { get; set; }

    internal ulong SinkBytes { get; set; }

    internal void CountAnswer() => Interlocked.Increment(ref _answerCount);

    internal void CloseByServer() => _isClosedByServer = true;

    /// <summary>Takes a request into the books.</summary>
    /// <returns>What no proxy may do.</returns>
    internal List<string> Take(MiddleRequest request)
    {
        Interlocked.Increment(ref _requestCount);
        var violations = new List<string>();
        if (CloseConnCount > 0)
            violations.Add($"RPC_PROXY_REQ for {Id:x} after its RPC_CLOSE_CONN");
        if (!request.Client.Equals(_first.Client))
            violations.Add($"{Id:x} was {_first.Client} and is now {request.Client}");
        if (!Equals(request.AdTag, _first.AdTag))
            violations.Add($"the ad tag of {Id:x} was {_first.AdTag} and is now {request.AdTag}");
        if (request.Transport != _first.Transport)
            violations.Add($"the transport of {Id:x} was {_first.Transport} and is now {request.Transport}");
        return violations;
    }

    /// <summary>Takes an RPC_CLOSE_CONN into the books.</summary>
    /// <returns>What no proxy may do.</returns>
    internal List<string> TakeCloseConn()
    {
        // An answer that crosses the first one on its way finds nobody and is answered with another one.
        var count = Interlocked.Increment(ref _closeConnCount);
        return count > 1 + AnswerCount + (IsClosedByServer ? 1 : 0)
            ? [$"RPC_CLOSE_CONN number {count} for {Id:x} after {AnswerCount} answers"]
            : [];
    }
}
