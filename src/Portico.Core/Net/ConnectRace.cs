using System.Net;
using System.Net.Sockets;

namespace Portico.Core.Net;

/// <summary>What <see cref="ConnectRace.Advance"/> has to tell.</summary>
internal enum RaceNews
{
    /// <summary>Nothing until a channel of the race has news or <see cref="ConnectRace.WakeMs"/> has come.</summary>
    Waiting,

    /// <summary>One attempt came to nothing; ask again.</summary>
    Failed,

    /// <summary>An attempt that began before the winner has not answered yet and is closed; ask again.</summary>
    Overtaken,

    /// <summary>A connection stands and belongs to the caller; the other attempts are closed.</summary>
    Won,

    /// <summary>Every address was tried and failed.</summary>
    NoneLeft,

    /// <summary>The time is over.</summary>
    TooLate,
}

/// <summary>An attempt of a race and how it ended.</summary>
/// <param name="Address">Where it went.</param>
/// <param name="Channel">The connection; open only if it won.</param>
/// <param name="Error">Success if it won.</param>
internal readonly record struct ConnectAttempt(EndPoint Address, Channel? Channel, SocketError Error);

/// <summary>
/// Connects to the first of several addresses that answers (RFC 8305): the next one starts while earlier
/// ones are still trying, or at once when one of them fails. The user asks with <see cref="Advance"/> after
/// each event of a channel and at <see cref="WakeMs"/>. May be used again after <see cref="Drop"/>.
/// </summary>
internal sealed class ConnectRace(EventLoop loop)
{
    // RFC 8305 section 5 recommends 250 ms between attempts. A Unix socket whose queue is full says so at once, and is asked again.
    private const int NextAttemptMs = 250, AskAgainMs = 25;

    private readonly List<EndPoint> _addresses = new(2);
    private readonly List<(EndPoint Address, Channel Channel)> _running = new(2);
    private readonly List<ConnectAttempt> _failed = [];
    private IChannelOwner _owner = NullOwner.Instance;
    private LocalAddresses _from = LocalAddresses.None;
    private (EndPoint Address, Channel Channel)? _winner;
    private int _overtaken;
    private long _giveUpMs;
    private long _nextMs;
    private int _started;

    /// <summary>Where it goes, in this order.</summary>
    public IReadOnlyList<EndPoint> Addresses => _addresses;

    /// <summary>When <see cref="Advance"/> wants to be called although nothing happened.</summary>
    public long WakeMs => _started == _addresses.Count ? _giveUpMs : Math.Min(_nextMs, _giveUpMs);

    /// <summary>What we had too little of for one of the attempts that failed: then it is not said whether the other side works.</summary>
    public SocketError? OwnWant
    {
        get
        {
            foreach (var (address, _, error) in _failed)
            {
                if (ConnectErrors.IsOurWant(address, error)) return error;
            }

            return null;
        }
    }

    /// <summary>What became of the attempts so far, for the operator.</summary>
    public string Describe()
    {
        var ends = _failed.Select(attempt => $"{attempt.Address} {ConnectErrors.Words(attempt.Error)}");
        var waiting = _running.Select(attempt => $"{attempt.Address} {ConnectErrors.Words(SocketError.TimedOut)}");
        return _addresses.Count == 0 ? "there is no address for it" : string.Join(", ", ends.Concat(waiting));
    }

    /// <summary>Sets the terms.</summary>
    /// <param name="owner">Hears of the channels' news.</param>
    /// <param name="giveUpMs">When the race is over, on the loop's clock.</param>
    /// <param name="from">Local addresses to use in turns.</param>
    public void Begin(IChannelOwner owner, long giveUpMs, LocalAddresses from)
    {
        (_owner, _from) = (owner, from);
        _giveUpMs = giveUpMs;
        _nextMs = loop.NowMs;
    }

    /// <summary>An address to try after those added before.</summary>
    public void Add(EndPoint address) => _addresses.Add(address);

    /// <summary>Does what can be done now and tells one thing.</summary>
    /// <param name="attempt">Whose end it is, with Failed and Won.</param>
    public RaceNews Advance(out ConnectAttempt attempt)
    {
        var news = Step(out attempt);
        if (news == RaceNews.Failed) _failed.Add(attempt);
        return news;
    }

    /// <summary>Closes what is under way and not handed over, and forgets the addresses.</summary>
    public void Drop()
    {
        foreach (var (_, channel) in _running) channel.Close();
        _running.Clear();
        _winner?.Channel.Close();
        _winner = null;
        _addresses.Clear();
        _failed.Clear();
        _owner = NullOwner.Instance;
        _started = 0;
    }

    private RaceNews Step(out ConnectAttempt attempt)
    {
        attempt = default;
        if (_winner is null && TakeEnded(out attempt)) return RaceNews.Failed;
        if (_winner is not null) return Finish(out attempt);
        if (loop.NowMs >= _giveUpMs)
            return TakeTimedOut(out attempt) ? RaceNews.Failed : RaceNews.TooLate;
        while (_started < _addresses.Count && loop.NowMs >= _nextMs)
        {
            if (!Start(out attempt)) return RaceNews.Failed;
        }

        return _started == _addresses.Count && _running.Count == 0 ? RaceNews.NoneLeft : RaceNews.Waiting;
    }

    // False when the address cannot even be tried: then the next one is due at once.
    private bool Start(out ConnectAttempt failed)
    {
        failed = default;
        var address = _addresses[_started];
        if (Connect(address, out var error) is { } channel)
        {
            _started++;
            _running.Add((address, channel));
            _nextMs = loop.NowMs + NextAttemptMs;
        }
        else if (error == SocketError.TryAgain)
        {
            _nextMs = loop.NowMs + AskAgainMs;
        }
        else
        {
            _started++;
            failed = new(address, null, error);
            return false;
        }

        return true;
    }

    // A local address whose ports are used up leaves the attempt to the next one.
    private Channel? Connect(EndPoint address, out SocketError error)
    {
        for (var left = _from.CountFor(address); ; left--)
        {
            var channel = loop.Connect(address, _from.Next(address), _owner, out error);
            if (channel is not null || error != SocketError.AddressNotAvailable || left <= 1)
                return channel;
        }
    }

    // True for one that failed; a winner is only written down.
    private bool TakeEnded(out ConnectAttempt failed)
    {
        failed = default;
        for (var i = _running.Count - 1; i >= 0; i--)
        {
            var (address, channel) = _running[i];
            if (!channel.CanWrite) continue;
            _running.RemoveAt(i);
            var result = ResultOf(channel);
            if (result == SocketError.Success)
            {
                _winner = (address, channel);
                _overtaken = i;
                return false;
            }

            channel.Close();
            _nextMs = loop.NowMs;
            failed = new(address, null, result);
            return true;
        }

        return false;
    }

    private RaceNews Finish(out ConnectAttempt attempt)
    {
        while (_running.Count > 0)
        {
            var last = _running.Count - 1;
            var (address, channel) = _running[last];
            _running.RemoveAt(last);
            channel.Close();
            if (last >= _overtaken) continue;
            attempt = new(address, null, SocketError.TimedOut);
            return RaceNews.Overtaken;
        }

        attempt = new(_winner!.Value.Address, _winner.Value.Channel, SocketError.Success);
        _winner = null;
        return RaceNews.Won;
    }

    // A connection that was reset before it was used has no error to show any more.
    private static SocketError ResultOf(Channel channel)
    {
        if (!channel.Failed) return SocketError.Success;
        var result = channel.ConnectResult();
        return result == SocketError.Success ? SocketError.ConnectionReset : result;
    }

    private bool TakeTimedOut(out ConnectAttempt late)
    {
        late = default;
        if (_running.Count == 0) return false;
        var (address, channel) = _running[^1];
        _running.RemoveAt(_running.Count - 1);
        channel.Close();
        late = new(address, null, SocketError.TimedOut);
        return true;
    }
}
