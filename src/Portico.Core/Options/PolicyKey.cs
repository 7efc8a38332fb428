using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Portico.Core.Options;

/// <summary>What of a client a rule looks at.</summary>
public enum PolicyKeyKind : byte
{
    /// <summary>The name of the listener.</summary>
    PortName,

    /// <summary>The host that a fake-TLS client names; others have none.</summary>
    TlsDomain,

    /// <summary>Leading bits of an IPv4 address; clients of the other family have none.</summary>
    ClientV4,

    /// <summary>Leading bits of an IPv6 address, likewise.</summary>
    ClientV6,
}

/// <summary>A key of a rule.</summary>
/// <param name="Kind">What is looked at.</param>
/// <param name="Bits">Of an address, the leading bits that count; 0 for other kinds.</param>
public readonly record struct PolicyKey(PolicyKeyKind Kind, int Bits = 0)
{
    private const string Subnet4 = "client_ipv4_subnet", Subnet6 = "client_ipv6_subnet";

    private static readonly string[] Names = ["port_name", "tls_domain", "client_ipv4", "client_ipv6", Subnet4, Subnet6];

    /// <summary>The name of the listener.</summary>
    public static PolicyKey PortName => new(PolicyKeyKind.PortName);

    /// <summary>The host that a fake-TLS client names.</summary>
    public static PolicyKey TlsDomain => new(PolicyKeyKind.TlsDomain);

    /// <summary>Leading bits of an IPv4 address, 1 to 32.</summary>
    public static PolicyKey ClientV4(int bits = 32) => new(PolicyKeyKind.ClientV4, bits);

    /// <summary>Leading bits of an IPv6 address, 9 to 128: with fewer, a rule would be about half of the internet.</summary>
    public static PolicyKey ClientV6(int bits = 128) => new(PolicyKeyKind.ClientV6, bits);

    /// <summary>As rules write it; a subnet that is the whole address is the address.</summary>
    public override string ToString() => Kind switch
    {
        PolicyKeyKind.PortName => "port_name",
        PolicyKeyKind.TlsDomain => "tls_domain",
        PolicyKeyKind.ClientV4 => Bits == 32 ? "client_ipv4" : string.Create(CultureInfo.InvariantCulture, $"{Subnet4}/{Bits}"),
        _ => Bits == 128 ? "client_ipv6" : string.Create(CultureInfo.InvariantCulture, $"{Subnet6}/{Bits}"),
    };

    /// <summary>Reads a key.</summary>
    /// <param name="text">As written.</param>
    /// <param name="key">The key.</param>
    /// <param name="problem">What is wrong, and the fix.</param>
    internal static bool TryParse(string text, out PolicyKey key, [NotNullWhen(false)] out string? problem)
    {
        (key, problem) = (default, null);
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var (name, bits) = slash < 0 ? (text, null) : (text[..slash], text[(slash + 1)..]);
        switch (name, bits)
        {
            case ("port_name", null):
                key = PortName;
                return true;
            case ("tls_domain", null):
                key = TlsDomain;
                return true;
            case ("client_ipv4", null):
                key = ClientV4();
                return true;
            case ("client_ipv6", null):
                key = ClientV6();
                return true;
            case (Subnet4, _):
                return TryBits(text, bits, 1, 32, out var v4, out problem) && Is(ClientV4(v4), out key);
            case (Subnet6, _):
                return TryBits(text, bits, 9, 128, out var v6, out problem) && Is(ClientV6(v6), out key);
            case ("client_ipv4" or "client_ipv6", _):
                problem = $"{ShownText.Quote(text)} is no key; did you mean \"{name}_subnet/{bits}\"?";
                return false;
            default:
                var meant = DidYouMean.Closest(name, Names);
                problem = $"{ShownText.Quote(text)} is not one of {string.Join(", ", Names.Select(Shown))}"
                    + (meant is null ? "" : $"; did you mean {Shown(meant)}?");
                return false;
        }
    }

    private static bool Is(PolicyKey found, out PolicyKey key)
    {
        key = found;
        return true;
    }

    private static bool TryBits(string text, string? digits, int least, int most, out int bits, [NotNullWhen(false)] out string? problem)
    {
        problem = null;
        if (int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out bits) && bits >= least && bits <= most)
            return true;
        problem = $"{ShownText.Quote(text)}: behind the slash goes the number of leading bits, {least} to {most}; "
            + $"for example \"{(most == 32 ? $"{Subnet4}/24" : $"{Subnet6}/64")}\"";
        return false;
    }

    private static string Shown(string name) => name switch
    {
        Subnet4 => $"\"{Subnet4}/24\"",
        Subnet6 => $"\"{Subnet6}/64\"",
        _ => $"\"{name}\"",
    };
}
