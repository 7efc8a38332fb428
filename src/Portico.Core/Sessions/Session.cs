using System.Net;
using Portico.Core.Admission;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Users;
using Portico.Protocol;

namespace Portico.Core.Sessions;

/// <summary>
/// One client connection from accept to close: its counters, what it has taken,
/// and the one end. How it is let in is above, in <c>ClientSession</c>.
/// </summary>
internal abstract class Session : IAddressHolder
{
    private readonly ListenerCounters _counters;
    private readonly long _acceptedMs;
    private SessionLease _lease;
    private AddressPlace? _place;
    private StatedOrigin? _origin;
    private CloseReason? _endsFor;
    private bool _closed;
    private bool _relaying;
    private bool _isAtCover;
    private bool _answered;
    private bool _mustNotReset;
    private bool _isHealthCheck;
    private Judged _judged;
    private UserMeter? _meter;

    protected Session(Channel client, ListenerContext listener, LoopContext context, bool isUnknown = true)
    {
        Client = client;
        Listener = listener;
        Context = context;
        _counters = listener.Counters;
        _acceptedMs = context.Loop.NowMs;
        _counters.Open++;
        context.Sessions.Opened();
        IsBehindBalancer = isUnknown && listener.Trusts(client);
        _isHealthCheck = IsBehindBalancer;
        if (!IsBehindBalancer && isUnknown) Enter(client.RemoteNetwork());
    }

    public Channel Client { get; }

    /// <summary>The host name that brought it here, where that is known otherwise than from a hello.</summary>
    public virtual ReadOnlyMemory<byte> HostName => default;

    /// <summary>Where it came in.</summary>
    public ListenerContext Listener { get; }

    /// <summary>What it needs of its loop.</summary>
    public LoopContext Context { get; }

    /// <summary>It comes from a network whose PROXY headers are believed, and one is required.</summary>
    public bool IsBehindBalancer { get; }

    /// <summary>The header said that the balancer itself is the client.</summary>
    public bool IsBalancersOwn => IsBehindBalancer && _origin is null;

    /// <summary>The client, by the PROXY header if there was one; null = it is gone.</summary>
    public IPEndPoint? ClientAddress() => _origin?.Source ?? Client.RemoteAddress();

    /// <summary>The bytes of its address, likewise: 4 or 16 in network order, none if it is gone.</summary>
    /// <param name="target">Room for 16.</param>
    /// <returns>How many there are.</returns>
    public int WriteClientAddress(Span<byte> target)
    {
        if (_origin is null) return Client.WriteRemoteAddress(target);
        return _origin.Source.Address.TryWriteBytes(target, out var length) ? length : 0;
    }

    /// <summary>The client's network, likewise.</summary>
    private ClientNetwork ClientNetwork() => _origin is null ? Client.RemoteNetwork() : Net.ClientNetwork.Of(_origin.Source.Address);

    /// <summary>
    /// The network whose limits it is subject to. Unknown for a balancer that says
    /// that it is itself the client: it may say so of everybody.
    /// </summary>
    public ClientNetwork LimitedNetwork() => IsBalancersOwn ? default : _place?.Queue?.Network ?? ClientNetwork();

    // Whoever has no address that is its own is the balancer itself.
    private void Enter(ClientNetwork network)
    {
        _isHealthCheck = IsBalancersOwn || (network.IsLoopback && !Context.Addresses.CountsLoopback);
        _place = Context.Addresses.Enter(this, network);
    }

    // By the public address of this machine, as `portico ping` and monitors on it come. Asked of few, so no connection pays for it.
    private bool IsFromHere() => LocalAddress() is { } local && ClientAddress() is { } client && client.Address.Equals(local.Address)
        && !(IPAddress.IsLoopback(local.Address) && Context.Addresses.CountsLoopback);

    /// <summary>Where the client connected to, likewise.</summary>
    public IPEndPoint? LocalAddress() => _origin?.Destination ?? Client.LocalAddress();

    /// <summary>What is known of who calls.</summary>
    public ref readonly Judged Judged => ref _judged;

    /// <summary>Whose client it is; null = it was not let in.</summary>
    public UserRecord? User => _meter?.User;

    /// <summary>Whether its user's limits let its relay read from the client now.</summary>
    public bool MayReceive(ILoopTask relay) =>
        Limits is not { } limits || (limits.MayReceive(Context.Loop.NowMs) && _meter!.IsTurnOf(relay, isDown: false));

    /// <summary>Whether its user's limits let its relay send to the client now.</summary>
    public bool MaySend(ILoopTask relay) =>
        Limits is not { } limits || (limits.MaySend(Context.Loop.NowMs) && _meter!.IsTurnOf(relay, isDown: true));

    /// <summary>Its relay has something for the client that its user's limits hold back: it runs again when that may be sent.</summary>
    public void AwaitSending(ILoopTask relay) => _meter!.AwaitTurn(Context.Loop, relay, isDown: true);

    /// <summary>The same of something that the client has sent.</summary>
    public void AwaitReceiving(ILoopTask relay) => _meter!.AwaitTurn(Context.Loop, relay, isDown: false);

    /// <summary>What its user may still move; null = without limits.</summary>
    public UserLimits? Limits => _meter?.User.Limits;

    /// <summary>It has a way to Telegram.</summary>
    public bool IsRelaying => _relaying;

    /// <summary>When it was accepted, on the loop's clock.</summary>
    public long AcceptedMs => _acceptedMs;

    /// <summary>Bytes read from the client.</summary>
    public long Received { get; private set; }

    /// <summary>Bytes written to the client.</summary>
    public long Sent { get; private set; }

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

    /// <summary>A balancer's header was read: from here on it counts among the connections of its client's address.</summary>
    /// <param name="origin">What it said; null = the connection is the balancer's own.</param>
    public void ComesFrom(StatedOrigin? origin)
    {
        _origin = origin;
        Enter(ClientNetwork());
    }

    /// <summary>The judge has spoken.</summary>
    /// <param name="credential">Whose secret was proved; null = nobody's.</param>
    /// <param name="hasOtherName">A hello that names another host than our links.</param>
    public void Identify(Credential? credential, bool hasOtherName) =>
        (_judged.Credential, _judged.HasOtherName) = (credential, hasOtherName);

    /// <summary>It is treated as a stranger.</summary>
    public void Refuse(CloseReason reason)
    {
        _judged.Refusal = reason;
        if (reason.IsProtocolError() || reason is CloseReason.ConnectionLimit or CloseReason.Memory)
            _counters.Strangers++;
        CountProtocolError(reason);
    }

    /// <summary>Its header was read.</summary>
    public void AcceptHeader(bool isTls, Transport transport, short dc)
    {
        _judged.HasHeader = true;
        (_judged.IsTls, _judged.Transport, _judged.Dc) = (isTls, transport, dc);
        Context.Metrics.ProtocolOk(Listener.Name, isTls, transport);
    }

    /// <summary>
    /// It may come in: from here on it counts as a client, not as one of its address.
    /// The lease goes back when the session ends.
    /// </summary>
    /// <param name="lease">What it took.</param>
    /// <param name="user">Whose client it is.</param>
    public void Admit(SessionLease lease, UserRecord user)
    {
        _lease = lease;
        _meter = user.MeterOn(Context.Loop.Index);
        _judged.IsClient = true;
        LeaveAddress();
    }

    /// <summary>Bytes came from the client.</summary>
    public void CountReceived(int bytes)
    {
        _counters.ClientReceived += bytes;
        Received += bytes;
        // From the hello on: what comes with the header is the user's already.
        if (_meter is null) return;
        _meter.CountReceived(bytes, Context.Loop.NowMs);
        _lease.Network?.Touch(Context.Loop.NowMs);
    }

    /// <summary>Bytes went to the client.</summary>
    public void CountSent(int bytes)
    {
        _counters.ClientSent += bytes;
        Sent += bytes;
        // The flight is ours.
        if (!_relaying) return;
        _meter!.CountSent(bytes, Context.Loop.NowMs);
        _lease.Network?.Touch(Context.Loop.NowMs);
    }

    /// <summary>
    /// The client left before it relayed, and may have been ours. Whoever looks whether we are there does the same:
    /// a balancer, and programs on this machine, are no clients that a network holds back.
    /// </summary>
    public void CountEarlyEnd(EarlyEnd end)
    {
        if (_isHealthCheck || IsFromHere()) return;
        _counters.EarlyEnds++;
        Context.Metrics.EarlyEnd(Listener.Name, end);
    }

    /// <summary>
    /// Its connection ends with RST, as the operator asked for (spec/05 section 3.9).
    /// Never once we have answered and the client has not been relayed: an alert could get lost,
    /// and a TLS server ends differently. Who is at the cover sees the cover's end.
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
        EndFor(CloseReason.AddressLimit);
    }

    /// <summary>
    /// Why it may not go on: a client's secret is good no longer, its user may do no more, or its listener is gone. Null = it may.
    /// Who is at the cover is the cover's.
    /// </summary>
    public CloseReason? RemovalReason()
    {
        if (User is null) return null;
        if (Listener.Users.IsClosed) return CloseReason.ListenerRemoved;
        if (_lease.Network is { IsGone: true }) return CloseReason.UserNetworks;
        if (User.IsForgotten) return CloseReason.SecretRemoved;
        var now = Context.Loop.UnixSeconds;
        if (Listener.Users.Find(_judged.Credential!.Secret, now) is not { } user)
            return CloseReason.SecretRemoved;
        if (user == User) return user.Refusal(now);
        // The secret is another user's by now. Where neither has limits, that is a new name and no more.
        return user.Terms == UserTerms.Unlimited && User.Terms == UserTerms.Unlimited ? null : CloseReason.SecretRemoved;
    }

    /// <summary>Takes its place among the networks of its user, if these are limited only since it came: however few are allowed.</summary>
    public void JoinNetworks()
    {
        if (_lease is { IsHeld: true, Network: null } && User is { Limits.Networks: not null } user)
            _lease.TryEnterNetwork(user, LimitedNetwork(), int.MaxValue, Context.Loop.NowMs);
    }

    /// <summary>It ends as if the proxy stopped, for this reason. The first one counts.</summary>
    public void EndFor(CloseReason reason)
    {
        if (_closed) return;
        _endsFor ??= reason;
        Client.Owner.OnShutdown(Client);
    }

    /// <summary>Ends it in some way, among others that are ended too: an exception of ours ends this one alone.</summary>
    public void Alone(Action<Session> end)
    {
        try
        {
            end(this);
        }
        catch (Exception error) when (!EventLoop.IsFatal(error))
        {
            Fault(error);
        }
    }

    /// <summary>
    /// The client is told that this is the end: FIN. What it still says goes where it went, and it ends for this reason when the client
    /// has finished too, or when whoever asked is out of patience.
    /// </summary>
    public void SayGoodbye(CloseReason reason)
    {
        if (_closed) return;
        _endsFor ??= reason;
        if (EndsWithReset) EndFor(reason);
        else Client.ShutdownWrite();
    }

    /// <summary>The client's header was accepted and its backend is there.</summary>
    public void MarkRelaying()
    {
        _relaying = true;
        _counters.Relaying++;
        _counters.Clients++;
        if (User!.Began(Context.Loop.UnixSeconds)) Context.Log.FirstClient(this);
        if (Context.Events.HasReaders) Context.Events.Publish(NewEvent(ProxyEvent.SessionOpened));
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
        // Before the channel is closed: its place, which the id is made of, is empty then.
        var told = Context.Events.HasReaders ? NewEvent(ProxyEvent.SessionClosed) : null;
        if (EndsWithReset || WouldKeepMemory(reason)) Client.Abort();
        else Client.Close();
        LeaveAddress();
        if (_lease.IsHeld && reason is CloseReason.ClientReset or CloseReason.ClientWriteTimeout)
            Context.Metrics.ClientLost(Listener.Name, reason, Sent);
        _lease.Dispose();
        _counters.Open--;
        if (_relaying)
        {
            _counters.Relaying--;
            User!.Ended(Context.Loop.UnixSeconds);
        }

        IsAtCover = false;
        var seconds = (Context.Loop.NowMs - _acceptedMs) / 1000.0;
        Context.Metrics.Closed(Listener.Name, reason, seconds);
        Context.Log.Closed(this, reason, seconds);
        if (told is not null)
        {
            Context.Events.Publish(told with
            {
                Reason = reason.Tag(),
                Side = reason.Side().Tag(),
                Seconds = seconds,
                ReceivedBytes = Received,
                SentBytes = Sent,
            });
        }

        Context.Sessions.Closed();
    }

    private ProxyEvent NewEvent(string type) => new()
    {
        Type = type,
        At = Context.Events.Now,
        Session = Client.IsClosed ? null : SessionId.Of(Client).ToString(),
        Listener = Listener.Name,
        User = _judged.Credential?.Name,
        Protocol = _judged.HasHeader ? ProxyMetrics.ProtocolName(_judged.IsTls, _judged.Transport) : null,
        Dc = _judged.HasHeader ? _judged.Dc : null,
    };

    /// <summary>Closed in order for this reason, the kernel would keep for minutes what the client does not take.</summary>
    public bool WouldKeepMemory(CloseReason reason) => reason == CloseReason.MemoryPressure && Client.UnacknowledgedBytes() > 0;

    /// <summary>An exception of ours ended this session and nothing else.</summary>
    public void Fault(Exception error)
    {
        if (!_closed) Context.Log.Faulted(this, error);
        Close(CloseReason.InternalError);
    }
}
