using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Net;

namespace Portico.Protocol.TelegramConfig;

/// <summary>Telegram's data centres as its apps know them (spec/04 section 1), and what their signed ids mean.</summary>
public static class DcTable
{
    private const int DcPort = 443;

    private const int FirstTestDc = 10_000;
    private const short SharedMediaDc = 203;

    /// <summary>Addresses by id, IPv4 ones first. Ids from 10001 on are the test site's; 203 serves media of all.</summary>
    public static FrozenDictionary<int, ImmutableArray<IPEndPoint>> BuiltIn { get; } = new[]
    {
        Dc(1, "149.154.175.50", "2001:b28:f23d:f001::a"),
        Dc(2, "149.154.167.51", "95.161.76.100", "2001:67c:4e8:f002::a"),
        Dc(3, "149.154.175.100", "2001:b28:f23d:f003::a"),
        Dc(4, "149.154.167.91", "2001:67c:4e8:f004::a"),
        Dc(5, "149.154.171.5", "2001:b28:f23f:f005::a"),
        Dc(203, "91.105.192.100", "2a0a:f280:203:a:5000::100"),
        Dc(10001, "149.154.175.10", "2001:b28:f23d:f001::e"),
        Dc(10002, "149.154.167.40", "2001:67c:4e8:f002::e"),
        Dc(10003, "149.154.175.117", "2001:b28:f23d:f003::e"),
    }.ToFrozenDictionary();

    /// <summary>An id of Telegram's test site, or of its media servers.</summary>
    public static bool IsTest(short dc) => Math.Abs((int)dc) >= FirstTestDc;

    /// <summary>Files rather than chats: a data centre's media servers, or the one that all share.</summary>
    public static bool IsMedia(short dc) => dc is < 0 or SharedMediaDc;

    private static KeyValuePair<int, ImmutableArray<IPEndPoint>> Dc(int id, params string[] addresses) =>
        new(id, [.. addresses.Select(address => new IPEndPoint(IPAddress.Parse(address), DcPort))]);
}
