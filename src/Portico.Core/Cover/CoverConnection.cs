using System.Text;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Sessions;
using Portico.Protocol.ProxyProtocol;

namespace Portico.Core.Cover;

/// <summary>How far the way to the cover has come.</summary>
internal enum CoverState
{
    /// <summary>Being resolved or connected.</summary>
    Connecting,

    /// <summary>It stands.</summary>
    Open,

    /// <summary>There is no way that we would go: as if there were no cover.</summary>
    Refused,

    /// <summary>It did not come about, or the place was needed for others.</summary>
    Failed,
}

/// <summary>
/// One stranger's way to the cover while nobody relays yet: found, connected, and given what the client has said so far.
/// The waiter owns the channels' news; whoever waits asks with <see cref="Advance"/> after each.
/// </summary>
internal sealed class CoverConnection : ICoverGuest
{
    private readonly Session _session;
    private readonly LoopWaiter _waiter;
    private readonly CoverServices _services;
    private readonly ConnectRace _race;
    private readonly long _giveUpMs;
    private readonly byte[] _head;
    private readonly bool _hasMissed;
    private CoverState _state;
    private bool _isFound;
    private int _headSent;
    private int _passed;
    private long _passingSinceMs = -1;
    private bool _isDropped;

    private CoverConnection(Session session, LoopWaiter waiter, CoverServices services, CoverGuests guests, bool hasMissed)
    {
        _session = session;
        _hasMissed = hasMissed;
        _waiter = waiter;
        _services = services;
        _giveUpMs = waiter.Loop.NowMs + (long)_services.Settings.ConnectTimeout.TotalMilliseconds;
        _race = new ConnectRace(waiter.Loop);
        _race.Begin(waiter, _giveUpMs, services.From);
        _head = Head(session, _services.Settings);
        Place = guests.Enter(this);
        session.IsAtCover = true;
    }

    /// <summary>The way out, once it stands.</summary>
    public Channel? Channel { get; private set; }

    /// <summary>Its place in the budget.</summary>
    public CoverPlace Place { get; }

    /// <summary>Why it failed.</summary>
    public CloseReason Reason { get; private set; }

    /// <summary>The cover sent something or closed: from now on this is its client, whoever it turns out to be.</summary>
    public bool HasSpoken => Channel is { } channel && (channel.CanRead || channel.Failed);

    /// <summary>Begins.</summary>
    /// <param name="session">The stranger, or a connection that nobody can place yet.</param>
    /// <param name="waiter">Hears the news.</param>
    /// <param name="services">The cover.</param>
    /// <param name="guests">The loop's places at it.</param>
    /// <param name="target">Which site.</param>
    /// <param name="hasMissed">The session is counted as one that found no way: to find none again adds nothing.</param>
    public static CoverConnection Open(
        Session session, LoopWaiter waiter, CoverServices services, CoverGuests guests, CoverTarget target, bool hasMissed)
    {
        var connection = new CoverConnection(session, waiter, services, guests, hasMissed);
        var loop = waiter.Loop;
        var known = connection._services.Directory.Find(target, answer => loop.Post(() => connection.Found(answer), waiter.OnFault));
        if (known is not null) connection.Take(known);
        return connection;
    }

    /// <summary>Does what can be done now, and arms the handshake's deadline for what cannot.</summary>
    public CoverState Advance()
    {
        if (_state != CoverState.Connecting) return _state;
        if (_isFound)
            Race();
        else if (_waiter.Loop.NowMs >= _giveUpMs)
            Fail(CloseReason.CoverConnectTimeout, "its name is not resolved in time");
        if (_state == CoverState.Connecting)
            _waiter.SetDeadline(_isFound ? _race.WakeMs : _giveUpMs);
        return _state;
    }

    /// <summary>Passes on what the cover has not had yet: as much as it takes, and each piece as long after the first as it came.</summary>
    /// <param name="raw">Everything received from the client so far, judged.</param>
    /// <param name="arrivals">Its pieces.</param>
    /// <returns>When the next piece is due, on the loop's clock; <see cref="long.MaxValue"/> = none waits for its time.</returns>
    public long PassOn(ReadOnlySpan<byte> raw, in ArrivalTimes arrivals)
    {
        if (_headSent == _head.Length && _passed == raw.Length) return long.MaxValue;
        var now = _waiter.Loop.NowMs;
        if (_passingSinceMs < 0) _passingSinceMs = now;
        Place.Touch();
        if (_headSent < _head.Length)
        {
            Channel!.Write(_head.AsSpan(_headSent), out var sent);
            _headSent += sent;
        }

        if (_headSent < _head.Length) return long.MaxValue;
        var end = Math.Max(_passed, arrivals.DueEnd(now, _passingSinceMs, out var nextMs));
        Channel!.Write(raw[_passed..end], out var passed);
        _passed += passed;
        return nextMs;
    }

    /// <summary>For the relay: what the cover has not had yet.</summary>
    public void TakeRest(ReadOnlySpan<byte> raw, BufferPool buffers, ref Pipe pipe)
    {
        var head = _head.AsSpan(_headSent);
        var rest = raw[_passed..];
        if (head.Length + rest.Length == 0) return;
        var target = pipe.Reserve(buffers, head.Length + rest.Length);
        head.CopyTo(target);
        rest.CopyTo(target[head.Length..]);
    }

    /// <summary>Closes what is under way and gives the place back.</summary>
    public void Drop()
    {
        if (_isDropped) return;
        _isDropped = true;
        _race.Drop();
        Channel?.Close();
        Place.Leave();
        _session.IsAtCover = false;
    }

    public void Evict()
    {
        _state = CoverState.Failed;
        Reason = CloseReason.CoverLimit;
        _waiter.Nudge();
    }

    public void OnFault(Exception error) => _waiter.OnFault(error);

    private static byte[] Head(Session session, CoverSettings settings)
    {
        if (settings.ProxyProtocol == 0) return [];
        var (client, own) = (session.ClientAddress(), session.LocalAddress());
        Span<byte> header = stackalloc byte[2 * ProxyHeader.MaxLength];
        var length = settings.IsWebHost
            ? ProxyHeader.Write(header, client, own, Encoding.ASCII.GetBytes(SessionId.Of(session.Client).ToString()))
            : ProxyHeader.Write(header, settings.ProxyProtocol, client, own);
        return header[..length].ToArray();
    }

    private void Found(CoverAnswer answer)
    {
        if (_isDropped || _state != CoverState.Connecting) return;
        Take(answer);
        _waiter.Nudge();
    }

    private void Take(CoverAnswer answer)
    {
        switch (answer.Finding)
        {
            case CoverFinding.Found:
                foreach (var address in answer.Addresses) _race.Add(address);
                _isFound = true;
                break;
            case CoverFinding.NotFound:
                Fail(CloseReason.CoverConnectFailed, "its name has no address");
                break;
            case CoverFinding.Loop:
                Refuse("loop", "it is one of our own listeners");
                break;
            default:
                Refuse("policy", "it is not public");
                break;
        }
    }

    private void Race()
    {
        ConnectAttempt attempt;
        RaceNews news;
        do news = _race.Advance(out attempt);
        while (news is RaceNews.Failed or RaceNews.Overtaken);
        if (news == RaceNews.Won) Won(attempt.Channel!);
        else if (news == RaceNews.NoneLeft) Fail(CloseReason.CoverConnectFailed);
        else if (news == RaceNews.TooLate) Fail(CloseReason.CoverConnectTimeout);
    }

    private void Won(Channel channel)
    {
        Channel = channel;
        channel.Settle();
        channel.KeepAlive();
        _state = CoverState.Open;
        Count("ok");
        _services.Health.Worked();
    }

    private void Fail(CloseReason reason, string? why = null)
    {
        _state = CoverState.Failed;
        Reason = reason;
        if (!_hasMissed) Count("connect_error");
        if (why is null) _services.Health.Failed(_race, _waiter.Loop.NowMs);
        else _services.Health.Failed(why, _waiter.Loop.NowMs);
    }

    private void Refuse(string result, string why)
    {
        _state = CoverState.Refused;
        if (!_hasMissed) Count(result);
        _services.Health.Failed(why, _waiter.Loop.NowMs);
    }

    private void Count(string result) => _session.Context.Metrics.Cover(_session.Listener.Name, result);
}
