using Microsoft.Extensions.Logging;
using Portico.Core.Admission;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Options;

namespace Portico.Core.Sessions;

/// <summary>One client connection from accept to close: its counters, what it has taken, and the one end. How it is let in is above, in <c>ClientSession</c>.</summary>
internal abstract partial class Session : IAddressHolder
{
    private readonly ListenerCounters _counters;
    private readonly long _acceptedMs;
    private long _sent;
    private SessionLease _lease;
    private AddressPlace? _place;
    private CloseReason? _endsFor;
    private bool _closed;
    private bool _relaying;
    private bool _isAtCover;
    private bool _answered;
    private bool _mustNotReset;

    protected Session(Channel client, ListenerContext listener, LoopContext context)
    {
        Client = client;
        Listener = listener;
        Context = context;
        _counters = listener.Counters;
        _acceptedMs = context.Loop.NowMs;
        _counters.Open++;
        context.Sessions.Opened();
        _place = context.Addresses.Enter(this, client);
    }

    public Channel Client { get; }

    /// <summary>Where it came in.</summary>
    public ListenerContext Listener { get; }

    /// <summary>What it needs of its loop.</summary>
    public LoopContext Context { get; }

    /// <summary>The client is being shown the cover, or will be unless it proves to be ours: its state in metrics.</summary>
    public bool IsAtCover
    {
        get => _isAtCover;
        set
        {
            if (_isAtCover == value || (_closed && value)) return;
            _isAtCover = value;
            _counters.Cover += value ? 1 : -1;
        }
    }

    /// <summary>It may come in: from here on it counts as a client, not as one of its address. The lease goes back when the session ends.</summary>
    public void Admit(SessionLease lease)
    {
        _lease = lease;
        LeaveAddress();
    }

    /// <summary>Bytes came from the client.</summary>
    public void CountReceived(int bytes) => _counters.ClientReceived += bytes;

    /// <summary>Bytes went to the client.</summary>
    public void CountSent(int bytes)
    {
        _counters.ClientSent += bytes;
        _sent += bytes;
    }

    /// <summary>The client left before it relayed, and may have been ours.</summary>
    public void CountEarlyEnd(EarlyEnd end) => Context.Metrics.EarlyEnd(Listener.Name, end);

    /// <summary>
    /// Its connection ends with RST, as the operator asked for (spec/05 section 3.9). Never once we have answered and the client has not been relayed: an alert could get
    /// lost, and a TLS server ends differently. Who is at the cover sees the cover's end.
    /// </summary>
    public bool EndsWithReset => !_mustNotReset && !_isAtCover && Context.ResetOnClose switch
    {
        ResetOnClose.Off => false,
        ResetOnClose.Always when _relaying => true,
        _ => !_lease.IsHeld && !_answered,
    };

    /// <summary>The client was sent something of our own: an alert or the flight.</summary>
    public void MarkAnswered() => _answered = true;

    /// <summary>Whatever the operator asked for, the end is that of a TLS server.</summary>
    public void MustNotReset() => _mustNotReset = true;

    /// <summary>It no longer counts among the connections of its address that have shown no secret.</summary>
    public void LeaveAddress()
    {
        if (_place is not null) Context.Addresses.Leave(_place);
        _place = null;
    }

    /// <summary>Its address has too many connections: it ends as if the proxy stopped, for that reason.</summary>
    public void GiveWay()
    {
        LeaveAddress();
        _endsFor = CloseReason.AddressLimit;
        Client.Owner.OnShutdown(Client);
    }

    /// <summary>The client's header was accepted and its backend is there.</summary>
    public void MarkRelaying()
    {
        _relaying = true;
        _counters.Relaying++;
    }

    /// <summary>A client's bytes were not accepted. Counted once, when it is noticed: the connection may go on for long.</summary>
    public void CountProtocolError(CloseReason reason)
    {
        if (reason.IsProtocolError()) Context.Metrics.ProtocolError(Listener.Name, reason);
    }

    /// <summary>The one end of every session: closes the client, gives the lease back, says why. The first reason wins.</summary>
    public void Close(CloseReason reason)
    {
        if (_closed) return;
        _closed = true;
        reason = _endsFor ?? reason;
        if (EndsWithReset) Client.Abort();
        else Client.Close();
        LeaveAddress();
        if (_lease.IsHeld && reason is CloseReason.ClientReset or CloseReason.ClientWriteTimeout) Context.Metrics.ClientLost(Listener.Name, reason, _sent);
        _lease.Dispose();
        _counters.Open--;
        if (_relaying) _counters.Relaying--;
        IsAtCover = false;
        var seconds = (Context.Loop.NowMs - _acceptedMs) / 1000.0;
        Context.Metrics.Closed(Listener.Name, reason, seconds);
        var (log, level) = (Context.Log, reason.Level());
        if (log.IsEnabled(level))
        {
            var (tag, side) = (reason.Tag(), reason.Side().Tag());
            Log.Closed(log, level, Listener.Name, tag, side, seconds);
        }

        Context.Sessions.Closed();
    }

    /// <summary>An exception of ours ended this session and nothing else.</summary>
    public void Fault(Exception error)
    {
        if (!_closed) Log.Faulted(Context.Log, error, Listener.Name);
        Close(CloseReason.InternalError);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1101, EventName = "SessionClosed", Message = "Session on {Listener} closed: {Reason} ({Side}) after {Seconds} s")]
        public static partial void Closed(ILogger logger, LogLevel level, string listener, string reason, string side, double seconds);

        [LoggerMessage(EventId = 1102, EventName = "SessionFaulted", Level = LogLevel.Error, Message = "A session on {Listener} ended by an exception of the proxy; please report it")]
        public static partial void Faulted(ILogger logger, Exception error, string listener);
    }
}
