using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Telegram;

namespace Portico.Core.Backends.MiddleProxy;

/// <summary>
/// One link to a middle proxy, shared by many clients (spec/03). Belongs to one loop, like every client on it.
/// Life: connect, nonce, handshake, ready, lost; the parts are in the files named after them.
/// What it loses with its death is decided by the pool and by each client.
/// </summary>
internal sealed partial class MiddleProxyConnection : IChannelOwner, ILoopTask
{
    // Connect, nonce and handshake together: less than those wait who need it.
    private const int SetUpMs = 4000;

    // The link is looked at this often once it is ready, and while bytes to it are not acknowledged.
    private const int HeartbeatMs = 10_000, WatchedHeartbeatMs = 5000;

    // Telegram closes links after 30 to 70 s; one that is silent for longer than
    // this is asked whether it lives, and must answer within as long again.
    private const int SilenceMs = 60_000;

    // None of what is on its way was acknowledged for so long: whoever is on the other side does not read, or the way
    // there is gone. Well below the time after which a question counts as one that gets no answer: whose question was
    // lost must be closed, and not moved.
    private const int NotTakenMs = 20_000;

    private const int IdleMs = 120_000;

    private readonly MiddleProxyPool _pool;
    private readonly IPEndPoint _address;
    private readonly MiddleProxyConfig _config;
    private readonly DcCounters _counters;
    private readonly Dictionary<long, MiddleRelay> _clients = [];
    private readonly long _openedMs;
    private Channel? _channel;
    private Phase _phase;
    private bool _queued;
    private long _lastReceivedMs;
    private long _idleSinceMs;
    private bool _asked;

    public MiddleProxyConnection(MiddleProxyPool pool, IPEndPoint address, MiddleProxyConfig config, DcCounters counters)
    {
        _pool = pool;
        _address = address;
        _config = config;
        _counters = counters;
        _debt = new LinkDebt(pool.Settings.BackPressure);
        _reader = new LinkReader(Loop.Buffers, pool.Settings.CheckCrc);
        _writer = new LinkWriter(Loop.Buffers);
        _openedMs = Loop.NowMs;
    }

    private enum Phase : byte
    {
        Connecting,
        Nonce,
        Handshake,
        Ready,
        Lost,
    }

    /// <summary>Clients may be put on it.</summary>
    public bool IsReady => _phase == Phase.Ready;

    /// <summary>Clients on it.</summary>
    public int ClientCount => _clients.Count;

    /// <summary>The clients on it.</summary>
    public IReadOnlyCollection<MiddleRelay> Clients => _clients.Values;

    /// <summary>When it was opened, on the loop's clock.</summary>
    public long OpenedMs => _openedMs;

    /// <summary>Where it leads.</summary>
    public IPEndPoint Address => _address;

    /// <summary>
    /// Set when the middle proxy hung up between connect and the end of the set-up:
    /// the address of ours that the keys were made of, which may be wrong.
    /// </summary>
    public IPAddress? RefusedAs { get; private set; }

    /// <summary>Signed id of its data centre.</summary>
    public short Dc => _pool.Dc;

    /// <summary>How it ended, once it has.</summary>
    public SocketError Error { get; private set; }

    /// <summary>The same in words.</summary>
    public string Why { get; private set; } = "";

    /// <summary>An answer for a client came over it.</summary>
    public bool HasServed { get; private set; }

    private EventLoop Loop => _pool.Services.Loop;

    /// <summary>Begins to connect. False if no socket could be had.</summary>
    public bool Open()
    {
        _channel = Loop.Connect(_address, from: null, this, out var error);
        if (_channel is null)
        {
            _phase = Phase.Lost;
            (Error, Why) = (error, ConnectErrors.Words(error));
            _pool.Services.Metrics.DcConnect(_pool.Dc, error);
            return false;
        }

        _channel.SetDeadline(Loop.NowMs + SetUpMs);
        return true;
    }

    /// <summary>Puts a client on this link.</summary>
    public void Join(long id, MiddleRelay client)
    {
        _clients.Add(id, client);
        _debt.Clients = _clients.Count;
        _counters.Clients++;
    }

    /// <summary>Takes a client off. Telegram is told if it has seen the id.</summary>
    public void Leave(MiddleRelay client, bool tellTelegram)
    {
        if (!_clients.Remove(client.Id)) return;
        _counters.Clients--;
        _debt.Clients = _clients.Count;
        Pay(client.OwedBytes, client.OwedPackets);
        if (_clients.Count == 0) _idleSinceMs = Loop.NowMs;
        if (tellTelegram && IsReady) SendCloseConn(client.Id);
    }

    public void OnReady(Channel channel)
    {
        switch (_phase)
        {
            case Phase.Connecting:
                if (channel.CanWrite) ConnectEnded(channel);
                break;
            case Phase.Lost:
                break;
            default:
                Pump();
                break;
        }
    }

    public void OnDeadline(Channel channel)
    {
        if (_phase == Phase.Lost) return;
        if (_phase != Phase.Ready) Lose(SocketError.TimedOut, "no answer in time");
        else Heartbeat();
    }

    public void OnShutdown(Channel channel)
    {
        if (_phase != Phase.Lost) Release();
    }

    public void OnFault(Exception error)
    {
        _pool.Services.Health.LinkFaulted(error, _pool.Dc);
        if (_phase != Phase.Lost) Lose(SocketError.Fault, "an exception of the proxy");
    }

    public void Run()
    {
        _queued = false;
        if (_phase != Phase.Lost) Pump();
    }

    private void Pump()
    {
        if (_channel!.CanWrite && !_writer.IsEmpty) MarkDirty();
        if (!Receive() || _queued || _phase == Phase.Lost) return;
        _queued = true;
        Loop.Enqueue(this);
    }

    private void Heartbeat()
    {
        var now = Loop.NowMs;
        if (_progress.IsWatched && _progress.Look(_channel!, !_writer.IsEmpty, now) >= NotTakenMs)
        {
            Lose(SocketError.TimedOut, "it takes no more bytes");
            return;
        }

        if (now - _lastReceivedMs > 2 * SilenceMs)
        {
            Lose(SocketError.TimedOut, "it fell silent");
            return;
        }

        if (now - _lastReceivedMs > SilenceMs && !_asked) Ask();
        if (_clients.Count == 0 && now - _idleSinceMs > IdleMs && _pool.CanSpare(this))
        {
            Release();
            _pool.OnRetired(this);
            return;
        }

        _channel!.SetDeadline(now + (_progress.IsWatched ? WatchedHeartbeatMs : HeartbeatMs));
    }

    // However it ended: nobody new is put on it, then its clients move or end.
    private void Lose(SocketError error, string why)
    {
        var (wasReady, half) = (IsReady, HalfReceivedClient());
        (Error, Why) = (error, why);
        if (!wasReady) _pool.Services.Metrics.DcConnect(_pool.Dc, error);
        if (_phase is Phase.Nonce or Phase.Handshake && error != SocketError.TimedOut)
            RefusedAs = _own!.Address;
        Log.Lost(_pool.Services.Log, _pool.Dc, _address, why, _clients.Count);
        MiddleRelay[] clients = [.. _clients.Values];
        _clients.Clear();
        _counters.Clients -= clients.Length;
        Release();
        _pool.OnLost(this, wasReady);
        foreach (var client in clients)
        {
            try
            {
                client.OnLinkLost(lostHalf: ReferenceEquals(client, half));
            }
            catch (Exception fault) when (!EventLoop.IsFatal(fault))
            {
                client.OnFault(fault); // the rest must hear of it all the same: nobody else will tell them
            }
        }
    }

    private void Release()
    {
        if (IsReady) _counters.Connections--;
        _phase = Phase.Lost;
        EndPause();
        _channel?.Close();
        _reader.Drop();
        _writer.Drop();
        _waitingForRoom.Clear();
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1301, EventName = "LinkReady", Level = LogLevel.Debug,
            Message = "Link to the middle proxy of DC {Dc} at {Address} is ready")]
        public static partial void Ready(ILogger logger, int dc, IPEndPoint address);

        [LoggerMessage(EventId = 1302, EventName = "LinkLost", Level = LogLevel.Debug,
            Message = "Link to the middle proxy of DC {Dc} at {Address} ended: {Why}; {Clients} clients were on it")]
        public static partial void Lost(ILogger logger, int dc, IPEndPoint address, string why, int clients);

        [LoggerMessage(EventId = 1306, EventName = "UnknownPacket", Level = LogLevel.Debug,
            Message = "The middle proxy of DC {Dc} sent a packet that is not known: {Constructor}")]
        public static partial void UnknownPacket(ILogger logger, int dc, uint constructor);
    }
}
