using System.Net;
using Portico.Core.Options;
using Portico.Protocol.TelegramConfig;

namespace Portico.Core.Telegram;

/// <summary>
/// What a first start without the network lives on. Public constants: Telegram gives them to everybody
/// who asks (spec/03 section 1), and every proxy has the same. The secret is the one that was
/// in use in June 2018 already; the addresses of DC 4 and 5 are one of many that take turns.
/// Compared on the day of <see cref="AsOf"/> with what public proxies in several languages carry as their constants.
/// </summary>
internal static class EmbeddedConfig
{
    /// <summary>When these values were last compared.</summary>
    public static readonly DateTimeOffset AsOf = new(2026, 11, 24, 0, 0, 0, TimeSpan.Zero);

    private const string SecretInHex =
        "c4f9faca9678e6bb48ad6c7e2ce5c0d24430645d554addeb55419e034da62721"
        + "d046eaab6e52ab14a95a443ecfb3463e79a05a66612adf9caeda8be9a80da698"
        + "6fb0a6ff387af84d88ef3a6413713e5c3377f6e1a3d47d99f5e0c56eece8f05c"
        + "54c490b079e31bef82ff0ee8f2b0a32756d249c5f21269816cb7061b265db212";

    /// <summary>The secret: 128 bytes.</summary>
    public static MiddleProxySecret Secret { get; } =
        MiddleProxySecret.TryCreate(Convert.FromHexString(SecretInHex), out var secret)
            ? secret
            : throw new InvalidOperationException("the embedded secret has no valid length");

    /// <summary>The IPv4 addresses.</summary>
    public static ProxyConfigDocument V4 { get; } = Document(
        (1, "149.154.175.50:8888", "149.154.175.50:8888"),
        (2, "149.154.161.144:8888", "149.154.161.144:8888"),
        (3, "149.154.175.100:8888", "149.154.175.100:8888"),
        (4, "91.108.4.136:8888", "149.154.165.109:8888"),
        (5, "91.108.56.183:8888", "91.108.56.183:8888"),
        (203, "91.105.192.110:443", "91.105.192.110:443"));

    /// <summary>The IPv6 addresses.</summary>
    public static ProxyConfigDocument V6 { get; } = Document(
        (1, "[2001:b28:f23d:f001::d]:8888", "[2001:b28:f23d:f001::d]:8888"),
        (2, "[2001:67c:4e8:f002::d]:80", "[2001:67c:4e8:f002::d]:80"),
        (3, "[2001:b28:f23d:f003::d]:8888", "[2001:b28:f23d:f003::d]:8888"),
        (4, "[2001:67c:4e8:f004::d]:8888", "[2001:67c:4e8:f004::d]:8888"),
        (5, "[2001:b28:f23f:f005::d]:8888", "[2001:b28:f23f:f005::d]:8888"),
        (203, "[2a0a:f280:203:a:5000::110]:443", "[2a0a:f280:203:a:5000::110]:443"));

    /// <summary>All of it, with what the operator says of our external address.</summary>
    public static MiddleProxyConfig For(ProxySettings settings) => new(Secret, [V4, V6], (short)settings.Direct.DefaultDc)
    {
        ExternalV4 = settings.Middle.ExternalV4,
        ExternalV6 = settings.Middle.ExternalV6,
        AsOf = AsOf,
    };

    // One address for N and one for -N.
    private static ProxyConfigDocument Document(params (short Dc, string Address, string MediaAddress)[] entries) =>
        new(defaultDc: 2, entries.SelectMany(
            entry => new[] { (entry.Dc, IPEndPoint.Parse(entry.Address)), ((short)-entry.Dc, IPEndPoint.Parse(entry.MediaAddress)) }));
}
