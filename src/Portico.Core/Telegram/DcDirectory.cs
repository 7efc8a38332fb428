using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Net;
using Portico.Core.Options;

namespace Portico.Core.Telegram;

/// <summary>Where the data centres are: the built-in table of spec/04 section 1 with the operator's overrides on top.</summary>
internal sealed class DcDirectory
{
    private const int DcPort = 443;

    private const int FirstTestDc = 10_000;
    private const short SharedMediaDc = 203;

    private readonly FrozenDictionary<int, DcAddresses> _known;
    private readonly int _defaultDc;

    public DcDirectory(DirectSettings settings)
    {
        _defaultDc = settings.DefaultDc;
        var known = BuiltIn().ToDictionary(entry => entry.Key, entry => new DcAddresses(entry.Value, settings.PreferIPv6));
        foreach (var (dc, addresses) in settings.Endpoints) known[dc] = new DcAddresses(addresses, settings.PreferIPv6);
        _known = known.ToFrozenDictionary();
    }

    /// <summary>Ids of Telegram's test site, and of its media servers.</summary>
    public static bool IsTest(short wanted) => Math.Abs((int)wanted) >= FirstTestDc;

    /// <summary>Files rather than chats: a data centre's media servers, or the one that all share.</summary>
    public static bool IsMedia(short wanted) => wanted is < 0 or SharedMediaDc;

    /// <summary>Whether there are addresses for this very id.</summary>
    public bool Knows(int dc) => _known.TryGetValue(dc, out var addresses) && addresses.Count > 0;

    /// <summary>Whether there are addresses for this id, or for the data centre whose media it stands for.</summary>
    public bool Reaches(short wanted) => (_known.TryGetValue(wanted, out var addresses) || _known.TryGetValue(Math.Abs((int)wanted), out addresses)) && addresses.Count > 0;

    /// <summary>Addresses for the id that a client gave, by the rules of spec/04 section 2; unknown ones lead to the default DC.</summary>
    /// <param name="wanted">Signed id; 0 = the client did not say.</param>
    /// <param name="used">The id to name to the DC: the client's own, or the default.</param>
    public DcAddresses Find(short wanted, out short used)
    {
        used = wanted;
        if (wanted != 0 && (_known.TryGetValue(wanted, out var addresses) || _known.TryGetValue(Math.Abs((int)wanted), out addresses))) return addresses;
        used = (short)_defaultDc;
        return _known.TryGetValue(_defaultDc, out addresses) ? addresses : DcAddresses.None;
    }

    private static IEnumerable<KeyValuePair<int, ImmutableArray<IPEndPoint>>> BuiltIn()
    {
        static KeyValuePair<int, ImmutableArray<IPEndPoint>> Dc(int id, params string[] addresses) =>
            new(id, [.. addresses.Select(address => new IPEndPoint(IPAddress.Parse(address), DcPort))]);

        yield return Dc(1, "149.154.175.50", "2001:b28:f23d:f001::a");
        yield return Dc(2, "149.154.167.51", "95.161.76.100", "2001:67c:4e8:f002::a");
        yield return Dc(3, "149.154.175.100", "2001:b28:f23d:f003::a");
        yield return Dc(4, "149.154.167.91", "2001:67c:4e8:f004::a");
        yield return Dc(5, "149.154.171.5", "2001:b28:f23f:f005::a");
        yield return Dc(203, "91.105.192.100", "2a0a:f280:203:a:5000::100");
        yield return Dc(10001, "149.154.175.10", "2001:b28:f23d:f001::e");
        yield return Dc(10002, "149.154.167.40", "2001:67c:4e8:f002::e");
        yield return Dc(10003, "149.154.175.117", "2001:b28:f23d:f003::e");
    }
}
