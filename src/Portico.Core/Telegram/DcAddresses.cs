using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Portico.Core.Net;

namespace Portico.Core.Telegram;

/// <summary>
/// The addresses of one data centre. Clients are spread over those of the preferred family that work,
/// because each address takes only as many connections as there are local ports;
/// one that failed comes last for a minute. Shared by all loops, whose clocks agree to a few milliseconds.
/// </summary>
internal sealed class DcAddresses
{
    private const int AvoidMs = 60_000;

    private readonly Lock _gate = new();
    private readonly IPEndPoint[] _all;
    private readonly AddressFamily _preferred;
    private readonly long[] _avoidUntilMs;
    private volatile Order _order;
    private int _turn;

    public DcAddresses(int dc, ImmutableArray<IPEndPoint> addresses, bool preferIPv6)
    {
        Dc = dc;
        // A mapped address is an IPv4 one in other clothes; as IPv6 it would be asked of a socket that cannot reach it.
        _all = [.. addresses.Select(
            address => address.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(address.Address.MapToIPv4(), address.Port) : address)];
        RandomNumberGenerator.Shuffle<IPEndPoint>(_all); // proxies spread too
        _preferred = preferIPv6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;
        _avoidUntilMs = new long[_all.Length];
        _order = MakeOrder(0);
    }

    /// <summary>Whose they are. Several ids may lead here.</summary>
    public int Dc { get; }

    public int Count => _all.Length;

    /// <summary>All of them, in no order.</summary>
    public IReadOnlyList<IPEndPoint> All => _all;

    /// <summary>Gives them to a race in the order to try them: the leading group from another one on each time, then the others.</summary>
    public void AddTo(ConnectRace race, long nowMs)
    {
        var order = _order;
        if (nowMs >= order.UntilMs) order = Renew(nowMs);
        var turn = order.Leading > 1 ? (int)((uint)Interlocked.Increment(ref _turn) % order.Leading) : 0;
        for (var i = 0; i < order.Leading; i++) race.Add(order.Addresses[(turn + i) % order.Leading]);
        for (var i = order.Leading; i < order.Addresses.Length; i++) race.Add(order.Addresses[i]);
    }

    /// <summary>It did not answer, or later than another one that was asked after it.</summary>
    public void Failed(EndPoint address, long nowMs) => Note(address, nowMs, nowMs + AvoidMs);

    /// <summary>A connection stands.</summary>
    public void Worked(EndPoint address, long nowMs) => Note(address, nowMs, 0);

    private void Note(EndPoint address, long nowMs, long avoidUntilMs)
    {
        var index = Array.IndexOf(_all, address);
        if (index < 0 || (avoidUntilMs == 0 && Volatile.Read(ref _avoidUntilMs[index]) == 0))
            return;
        lock (_gate)
        {
            _avoidUntilMs[index] = avoidUntilMs;
            _order = MakeOrder(nowMs);
        }
    }

    private Order Renew(long nowMs)
    {
        lock (_gate) return _order = MakeOrder(nowMs);
    }

    private Order MakeOrder(long nowMs)
    {
        for (var i = 0; i < _all.Length; i++)
        {
            if (_avoidUntilMs[i] <= nowMs) _avoidUntilMs[i] = 0;
        }

        var order = Enumerable.Range(0, _all.Length).OrderBy(Group).ToArray();
        var untilMs = _avoidUntilMs.Where(until => until > 0).DefaultIfEmpty(long.MaxValue).Min();
        return new([.. order.Select(i => _all[i])], order.TakeWhile(i => Group(i) == Group(order[0])).Count(), untilMs);
    }

    private int Group(int index) => (_avoidUntilMs[index] == 0 ? 0 : 2) + (_all[index].AddressFamily == _preferred ? 0 : 1);

    /// <summary>The first <paramref name="Leading"/> addresses are equally good. Holds until <paramref name="UntilMs"/>.</summary>
    private sealed record Order(IPEndPoint[] Addresses, int Leading, long UntilMs);
}
