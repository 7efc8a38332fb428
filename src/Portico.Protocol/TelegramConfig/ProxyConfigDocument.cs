using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Portico.Protocol.TelegramConfig;

/// <summary>A statement of a configuration that was skipped.</summary>
/// <param name="Line">Counted from 1.</param>
/// <param name="Reason">For the log; holds nothing of the document.</param>
public readonly record struct ProxyConfigFault(int Line, string Reason);

/// <summary>
/// What getProxyConfig and getProxyConfigV6 give: where the middle proxies are (spec/03 section 1.1).
/// Reading never fails; <see cref="IsValid"/> says whether the result is of use.
/// </summary>
/// <remarks>
/// <code>
///  # comment to the end of the line
///  default 2;
///  proxy_for -4 149.154.165.109:8888;       an id on several lines has several addresses
///  proxy_for 2 [2001:67c:4e8:f002::d]:80;   brackets may be missing: the last colon is before the port
/// </code>
/// Ids with and without sign are different ones. A statement ends at a semicolon
/// or at the end of its line; other statements than these two are for other programs.
/// </remarks>
public sealed class ProxyConfigDocument
{
    /// <summary>Only so many faults are listed.</summary>
    public const int MaxFaults = 16;

    private readonly Dictionary<short, List<IPEndPoint>> _endpoints = [];
    private readonly List<short> _dcs = [];
    private readonly List<ProxyConfigFault> _faults = [];

    /// <summary>Makes a document to serve.</summary>
    /// <param name="defaultDc">Where clients go that name no known data centre.</param>
    /// <param name="endpoints">Any number for each id.</param>
    public ProxyConfigDocument(short? defaultDc, IEnumerable<(short Dc, IPEndPoint Endpoint)> endpoints)
    {
        DefaultDc = defaultDc;
        foreach (var (dc, endpoint) in endpoints)
            Add(dc, endpoint);
    }

    /// <summary>The id of the default data centre, if the document names one.</summary>
    public short? DefaultDc { get; private set; }

    /// <summary>The ids that have endpoints, in the order in which they first came.</summary>
    public IReadOnlyList<short> Dcs => _dcs;

    /// <summary>Whether there is an endpoint at all. Otherwise the download counts as failed, and what was known stays.</summary>
    public bool IsValid => _dcs.Count > 0;

    /// <summary>What was skipped, the first <see cref="MaxFaults"/> of it.</summary>
    public IReadOnlyList<ProxyConfigFault> Faults => _faults;

    /// <summary>How many statements were skipped.</summary>
    public int FaultCount { get; private set; }

    /// <summary>The endpoints of one id in the order given, IPv4 mapped into IPv6 as IPv4; none if the id is unknown.</summary>
    public ImmutableArray<IPEndPoint> Endpoints(short dc) => _endpoints.TryGetValue(dc, out var endpoints) ? [.. endpoints] : [];

    /// <summary>Reads a document. What cannot be read is skipped and listed.</summary>
    /// <param name="text">The whole document; the caller has bounded its length.</param>
    public static ProxyConfigDocument Parse(string text)
    {
        var document = new ProxyConfigDocument(null, []);
        var number = 0;
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            number++;
            var comment = line.IndexOf('#');
            var statements = comment < 0 ? line : line[..comment];
            foreach (var statement in statements.Split(';'))
            {
                if (document.Take(statements[statement]) is { } reason)
                    document.AddFault(number, reason);
            }
        }
        return document;
    }

    /// <summary>The document as text that <see cref="Parse"/> reads.</summary>
    public string Write()
    {
        var text = new StringBuilder();
        if (DefaultDc is { } defaultDc)
            text.Append(CultureInfo.InvariantCulture, $"default {defaultDc};\n");
        foreach (var dc in _dcs)
        {
            foreach (var endpoint in _endpoints[dc])
                text.Append(CultureInfo.InvariantCulture, $"proxy_for {dc} {endpoint};\n");
        }
        return text.ToString();
    }

    /// <summary>Takes over one statement, or says why not.</summary>
    private string? Take(ReadOnlySpan<char> statement)
    {
        // One place more than the longest statement has words: a surplus word stays in the last one and spoils it.
        Span<Range> words = stackalloc Range[4];
        var count = statement.SplitAny(words, " \t\v", StringSplitOptions.RemoveEmptyEntries);
        if (count == 0)
            return null;

        switch (statement[words[0]])
        {
            case "default":
                if (count != 2 || !TryParseDc(statement[words[1]], out var defaultDc))
                    return "default takes one id from -32768 to 32767";
                DefaultDc = defaultDc;
                return null;
            case "proxy_for":
                if (count != 3)
                    return "proxy_for takes an id and an address";
                if (!TryParseDc(statement[words[1]], out var dc))
                    return "the id is not a number from -32768 to 32767";
                if (!TryParseEndpoint(statement[words[2]], out var endpoint))
                    return "the address is not IPv4 or IPv6 with a port from 1 to 65535";
                Add(dc, endpoint);
                return null;
            default:
                return null;
        }
    }

    private static bool TryParseDc(ReadOnlySpan<char> text, out short dc) =>
        short.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out dc);

    private static bool TryParseEndpoint(ReadOnlySpan<char> text, out IPEndPoint endpoint)
    {
        endpoint = null!;
        var colon = text.LastIndexOf(':');
        if (colon < 0 || !ushort.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
            return false;
        if (!TryParseAddress(text[..colon], out var address))
            return false;

        endpoint = new IPEndPoint(address, port);
        return true;
    }

    // The library also reads 1.2, 0x7f.1, 010.0.0.1, zones and ports of its own: none of them belongs here.
    private static bool TryParseAddress(ReadOnlySpan<char> text, out IPAddress address)
    {
        address = null!;
        var inBrackets = text is ['[', .., ']'];
        if (inBrackets)
            text = text[1..^1];
        if (text.ContainsAny("[]%") || !IPAddress.TryParse(text, out var parsed))
            return false;

        var isV4 = parsed.AddressFamily == AddressFamily.InterNetwork;
        if (isV4 && inBrackets)
            return false;
        // An IPv6 address may end in four numbers with dots, and the library reads those as freely.
        var dotted = text[(text.LastIndexOf(':') + 1)..];
        if ((isV4 || dotted.Contains('.')) && !(IPAddress.TryParse(dotted, out var v4) && dotted.SequenceEqual(v4.ToString())))
            return false;

        address = parsed.IsIPv4MappedToIPv6 ? parsed.MapToIPv4() : parsed;
        return true;
    }

    private void Add(short dc, IPEndPoint endpoint)
    {
        if (!_endpoints.TryGetValue(dc, out var endpoints))
        {
            _endpoints[dc] = endpoints = [];
            _dcs.Add(dc);
        }
        endpoints.Add(endpoint);
    }

    private void AddFault(int line, string reason)
    {
        FaultCount++;
        if (_faults.Count < MaxFaults)
            _faults.Add(new ProxyConfigFault(line, reason));
    }
}
