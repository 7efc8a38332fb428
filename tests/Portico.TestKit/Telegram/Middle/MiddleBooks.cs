using System.Collections.Immutable;
using System.Net;
using Portico.Protocol.MiddleProxy;
using Portico.TestKit.Wires;

namespace Portico.TestKit.Telegram.Middle;

/// <summary>What came and went on one link, and what of it no proxy may do. Any thread may read.</summary>
internal sealed class MiddleBooks(News news)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<long, MiddleClient> _clientsById = [];

    // Ids that the proxy never used and the test did: the proxy answers each with RPC_CLOSE_CONN.
    private readonly Dictionary<long, int> _strangers = [];
    private readonly Dictionary<long, TaskCompletionSource> _pings = [];
    private ImmutableList<MiddleClient> _clients = [];
    private ImmutableList<MiddleRequest> _requests = [];
    private ImmutableList<long> _closeConns = [];
    private ImmutableList<string> _violations = [];

    internal IReadOnlyList<MiddleClient> Clients => Read(ref _clients);

    internal IReadOnlyList<MiddleRequest> Requests => Read(ref _requests);

    internal IReadOnlyList<long> CloseConns => Read(ref _closeConns);

    internal IReadOnlyList<string> Violations => Read(ref _violations);

    internal MiddleClient? Find(long id)
    {
        lock (_lock)
            return _clientsById.GetValueOrDefault(id);
    }

    internal void Violate(string what)
    {
        lock (_lock)
            _violations = _violations.Add(what);
        news.Tell();
    }

    /// <summary>Enters a request.</summary>
    /// <param name="request">As it came.</param>
    /// <param name="packet">The client's packet, which the request may have forgotten.</param>
    /// <param name="proxy">Where the proxy is.</param>
    internal MiddleClient Take(MiddleRequest request, byte[] packet, IPEndPoint proxy)
    {
        MiddleClient? client;
        lock (_lock)
        {
            if (!_clientsById.TryGetValue(request.ConnectionId, out client))
            {
                _clientsById[request.ConnectionId] = client = new MiddleClient(request);
                _clients = _clients.Add(client);
            }
            _requests = _requests.Add(request);
            _violations = _violations.AddRange(RequestInspection.Violations(request, packet, proxy)).AddRange(client.Take(request));
        }
        news.Tell();
        return client;
    }

    internal void TakeCloseConn(long id)
    {
        lock (_lock)
        {
            _closeConns = _closeConns.Add(id);
            if (_clientsById.TryGetValue(id, out var client))
                _violations = _violations.AddRange(client.TakeCloseConn());
            else if (_strangers.GetValueOrDefault(id) > 0)
                _strangers[id]--;
            else
                _violations = _violations.Add($"RPC_CLOSE_CONN for {id:x}, which never sent anything");
        }
        news.Tell();
    }

    internal Task ExpectPong(long pingId)
    {
        var pong = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
            _pings[pingId] = pong;
        return pong.Task;
    }

    internal void TakePong(long pingId)
    {
        TaskCompletionSource? pong;
        lock (_lock)
            _pings.Remove(pingId, out pong);
        if (pong is null)
            Violate($"RPC_PONG {pingId:x} without a ping");
        pong?.TrySetResult();
    }

    /// <summary>No pong will come any more.</summary>
    internal void EndPings()
    {
        TaskCompletionSource[] pongs;
        lock (_lock)
        {
            pongs = [.. _pings.Values];
            _pings.Clear();
        }
        foreach (var pong in pongs)
            pong.TrySetException(new PeerSurpriseException("expected RPC_PONG, and the link ended"));
    }

    /// <summary>Enters a payload that is about to be sent: an answer to it may come as soon as it is.</summary>
    internal void Give(byte[] payload)
    {
        var packet = RpcPacket.Read(payload);
        if (packet.Kind is not (RpcPacketKind.ProxyAns or RpcPacketKind.SimpleAck or RpcPacketKind.CloseExt or RpcPacketKind.CloseConn))
            return;
        var isAnswer = packet.Kind is RpcPacketKind.ProxyAns or RpcPacketKind.SimpleAck;
        lock (_lock)
        {
            if (!_clientsById.TryGetValue(packet.ConnectionId, out var client))
            {
                if (isAnswer)
                    _strangers[packet.ConnectionId] = _strangers.GetValueOrDefault(packet.ConnectionId) + 1;
                return;
            }
            if (isAnswer)
                client.CountAnswer();
            else
                client.CloseByServer();
        }
        news.Tell();
    }

    private T Read<T>(ref T field)
    {
        lock (_lock)
            return field;
    }
}
