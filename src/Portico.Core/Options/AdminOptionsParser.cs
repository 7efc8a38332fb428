using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace Portico.Core.Options;

/// <summary>Reads the sections <c>admin</c> and <c>telemetry</c>.</summary>
internal sealed partial class AdminOptionsParser(ICollection<ConfigurationError> errors, ICollection<ConfigurationError> warnings)
{
    private const string ExampleAddress = "for example \"address\": \"127.0.0.1:8444\"";

    /// <summary>Names everything that is wrong.</summary>
    public void Check(AdminOptions admin, TelemetryOptions telemetry)
    {
        CheckAddress(admin);
        if (admin.Token is { Length: < AdminToken.LeastLength })
            errors.Add(new("admin.token", $"needs at least {AdminToken.LeastLength} characters; `openssl rand -hex 16` makes one"));
        else if (admin.Token is { } token && !Printable().IsMatch(token))
            errors.Add(new("admin.token", "may hold only letters, digits and signs of ASCII, no spaces; `openssl rand -hex 16` makes one"));
        if (admin.Socket is { } socket && (string.IsNullOrWhiteSpace(socket) || socket.Contains('\0', StringComparison.Ordinal)))
            errors.Add(new("admin.socket", "needs the path of a file, or null; for example \"socket\": \"admin.sock\""));
        for (var i = 0; i < admin.Hosts.Length; i++)
        {
            if (Uri.CheckHostName(admin.Hosts[i]) == UriHostNameType.Unknown)
                errors.Add(new(
                    $"admin.hosts[{i}]", $"{ShownText.Quote(admin.Hosts[i])} is no host name; for example \"proxy.example.org\""));
        }

        if (telemetry.Otlp is { } otlp && ReadUrl(otlp) is null)
        {
            errors.Add(new("telemetry.otlp",
                $"{ShownText.Quote(otlp)} is no address of a collector; for example \"otlp\": \"http://127.0.0.1:4318\""));
        }
    }

    /// <summary>What passed <see cref="Check"/>.</summary>
    /// <param name="admin">As written.</param>
    /// <param name="dataDirectory">Absolute.</param>
    public AdminSettings Parse(AdminOptions admin, string dataDirectory)
    {
        var sockets = SocketsOf(admin.Socket, dataDirectory);
        ImmutableArray<string> fitting = [.. sockets.Where(path => Encoding.UTF8.GetByteCount(path) <= CoverOptionsParser.LongestPath)];
        if (!sockets.IsEmpty && fitting.IsEmpty)
        {
            warnings.Add(new("admin.socket",
                $"its path is longer than the {CoverOptionsParser.LongestPath} bytes that the system takes, so there is none"));
        }

        return new AdminSettings
        {
            Address = admin.Address is null ? null : ReadAddress(admin.Address),
            Token = admin.Token is null ? null : new AdminToken(admin.Token),
            Sockets = fitting,
            Hosts = [.. admin.Hosts],
            UserMetrics = admin.UserMetrics,
        };
    }

    /// <summary>The same of the other section.</summary>
    public static TelemetrySettings Parse(TelemetryOptions telemetry) =>
        new() { Otlp = telemetry.Otlp is { } otlp ? ReadUrl(otlp) : null };

    private void CheckAddress(AdminOptions admin)
    {
        if (admin.Address is not { } text) return;
        if (ReadAddress(text) is not { } address)
            errors.Add(new("admin.address", $"{ShownText.Quote(text)} is no address with a port; {ExampleAddress}"));
        else if (!IPAddress.IsLoopback(address.Address))
        {
            warnings.Add(new("admin.address",
                $"{address} can be reached from other machines, and what is said there is not encrypted; {ExampleAddress}, "
                    + "with a web server for TLS in front of it"));
        }
    }

    // The framework takes an address without a port for one with port 0.
    private static IPEndPoint? ReadAddress(string text)
    {
        var colon = text.LastIndexOf(':');
        if (colon <= 0 || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port))
            return null;
        if (port > IPEndPoint.MaxPort) return null;
        var host = text[..colon];
        if (host.StartsWith('[') != host.Contains(':', StringComparison.Ordinal)) return null;
        return NetworkText.TryAddress(host.Trim('[', ']'), out var address) ? new IPEndPoint(address, port) : null;
    }

    internal static ImmutableArray<string> SocketsOf(string? socket, string dataDirectory)
    {
        if (socket is null) return [];
        if (Path.IsPathRooted(socket)) return [Path.GetFullPath(socket)];
        var beside = Path.GetDirectoryName(dataDirectory) ?? dataDirectory;
        return [Path.GetFullPath(socket, beside), Path.GetFullPath(socket, dataDirectory)];
    }

    private static Uri? ReadUrl(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
            return null;
        return url.AbsolutePath == "/" ? new Uri(url, "/v1/metrics") : url;
    }

    [GeneratedRegex(@"\A[\x21-\x7e]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex Printable();
}
