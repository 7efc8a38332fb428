using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Portico.Core.Admission;
using Portico.Core.Diagnostics;
using Portico.Core.Handshake;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Sessions;

namespace Portico.Core.Clients;

/// <summary>One client connection from accept to close. Start reading here: <see cref="RunAsync"/> is the table of contents of the proxy.</summary>
internal sealed partial class ClientSession
{
    private readonly ClientListener _listener;
    private readonly LoopServices _loop;
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

    public ClientSession(Channel client, ClientListener listener, LoopServices loop)
    {
        Client = client;
        _listener = listener;
        _loop = loop;
        _counters = loop.CountersOf(listener);
        _acceptedMs = loop.Loop.NowMs;
        _counters.Open++;
        loop.Proxy.SessionOpened();
        _place = loop.Addresses.Enter(this);
    }

    public Channel Client { get; }

    public LoopServices Loop => _loop;

    public ClientListener Listener => _listener;

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

    /// <summary>Decides how a client is let in; ends when the session relays, when a stranger was passed on, or when the client is gone.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask RunAsync(HandshakeState handshake)
    {
        // 1. Who is calling? Reads until the judge can tell; one absolute deadline, bytes never extend it.
        var caller = await ClientIdentification.IdentifyAsync(handshake);
        if (caller.IsGone) { LingeringClose.End(this, caller.Reason); return; }

        // 2. Not ours: they see the cover, byte for byte, and this method is done.
        if (caller.IsStranger) { await StrangerHandling.PassOnAsync(handshake, caller.Reason); return; }

        // 3. May they come in? The lease remembers what it took and travels with the session. Refused = a stranger.
        if (!AdmissionControl.TryAdmit(handshake, out _lease, out var refusal)) { await StrangerHandling.PassOnAsync(handshake, refusal); return; }

        // 4. Greet. Only now does the client name its DC and framing.
        var greeted = await ServerHandshake.CompleteAsync(handshake);
        if (greeted.IsGone) { LingeringClose.End(this, greeted.Reason); return; }
        if (greeted.HasEnded) { LingeringClose.Fin(this, greeted.Reason); return; }
        if (greeted.MustStayQuiet) { LingeringClose.Quiet(this, greeted.Reason); return; }

        // 5. A way to that DC: a connection of its own, or a place on a link that many share.
        var backend = await _loop.Backends.ConnectAsync(handshake);
        if (backend.IsGone) { Close(backend.Reason); return; }
        if (backend.Relay is null) { LingeringClose.Fin(this, backend.Reason); return; }

        // 6. From here on events call methods; no task, state machine or hello outlives this line.
        backend.Relay.Start();
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
    public void CountEarlyEnd(EarlyEnd end) => _loop.Metrics.EarlyEnd(_listener.Settings.Name, end);

    /// <summary>
    /// Its connection ends with RST, as the operator asked for (spec/05 section 3.9). Never once we have answered and the client has not been relayed: an alert could get
    /// lost, and a TLS server ends differently. Who is at the cover sees the cover's end.
    /// </summary>
    public bool EndsWithReset => !_mustNotReset && !_isAtCover && _loop.Proxy.Settings.ResetOnClose switch
    {
        ResetOnClose.Off => false,
        ResetOnClose.Always when _relaying => true,
        _ => !_lease.IsHeld && !_answered,
    };

    /// <summary>The client was sent something of our own: an alert or the flight.</summary>
    public void MarkAnswered() => _answered = true;

    /// <summary>Whatever the operator asked for, the end is decided by something else.</summary>
    public void MustNotReset() => _mustNotReset = true;

    /// <summary>It no longer counts among the connections of its address that have shown no secret.</summary>
    public void LeaveAddress()
    {
        if (_place is not null) _loop.Addresses.Leave(_place);
        _place = null;
    }

    /// <summary>Somebody else needs its place: it ends as if the proxy stopped, for this reason.</summary>
    public void EndFor(CloseReason reason)
    {
        LeaveAddress();
        _endsFor = reason;
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
        if (reason.IsProtocolError()) _loop.Metrics.ProtocolError(_listener.Settings.Name, reason);
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
        if (_lease.IsHeld && reason is CloseReason.ClientReset or CloseReason.ClientWriteTimeout) _loop.Metrics.ClientLost(_listener.Settings.Name, reason, _sent);
        _lease.Dispose();
        _counters.Open--;
        if (_relaying) _counters.Relaying--;
        IsAtCover = false;
        var seconds = (_loop.Loop.NowMs - _acceptedMs) / 1000.0;
        _loop.Metrics.Closed(_listener.Settings.Name, reason, seconds);
        var (log, level) = (_loop.SessionLog, reason.Level());
        if (log.IsEnabled(level))
        {
            var (tag, side) = (reason.Tag(), reason.Side().Tag());
            Log.Closed(log, level, _listener.Settings.Name, tag, side, seconds);
        }

        _loop.Proxy.SessionClosed();
    }

    /// <summary>An exception of ours ended this session and nothing else.</summary>
    public void Fault(Exception error)
    {
        if (!_closed) Log.Faulted(_loop.SessionLog, error, _listener.Settings.Name);
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
