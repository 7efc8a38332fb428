using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Portico.Core.Options;

namespace Portico.Doctor.Checks;

/// <summary>The Date of HTTP servers that the configuration names anyhow: nobody else is told that this machine exists.</summary>
internal static class HttpDates
{
    private const int HttpsPort = 443;

    /// <summary>A source for each server that may be asked.</summary>
    public static IReadOnlyList<TimeSource> Of(ProxySettings settings, NetworkAccess access)
    {
        var middle = settings.Middle;
        var urls = new[] { middle.SecretUrl, middle.ConfigUrl, middle.ConfigV6Url }.OfType<Uri>().Concat(middle.IpLookupServices)
            .Where(url => access.MayAsk(url.Host)).DistinctBy(url => (url.Scheme, url.Authority));
        var sources = urls
            .Select(url => new TimeSource(url.Authority, stop => AskAsync(url, target: null, access.Patience, stop))).ToList();
        if (CoverOf(settings) is { } cover && access.MayAsk(cover.Target))
            sources.Add(new(cover.Url.Host, stop => AskAsync(cover.Url, cover.Target, access.Patience, stop)));
        return sources;
    }

    // A cover that expects a PROXY header answers no plain question.
    private static (Uri Url, CoverTarget Target)? CoverOf(ProxySettings settings)
    {
        var domain = settings.Listeners.Select(listener => listener.Domain).FirstOrDefault(name => name is not null);
        if (settings.Cover is { Mode: CoverMode.Off } or { ProxyProtocol: not 0 } || domain is null)
            return null;
        return (new Uri($"https://{domain}/"), settings.Cover.Target ?? CoverTarget.OfHost(domain, HttpsPort));
    }

    private static async Task<DateTimeOffset?> AskAsync(Uri url, CoverTarget? target, TimeSpan patience, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(patience);
        using var http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            MaxResponseHeadersLength = 16, // KB
            SslOptions = new() { RemoteCertificateValidationCallback = IsGoodApartFromTime },
            ConnectCallback = target is null ? null : (_, cancel) => ConnectAsync(target, cancel),
        });
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, url);
            using var response = await http.SendAsync(request, limit.Token);
            return response.Headers.Date + (response.Headers.Age ?? TimeSpan.Zero); // a cache says how long ago it was told the time
        }
        catch (Exception problem) when (problem is HttpRequestException or IOException)
        {
            return null;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return null;
        }
    }

    // With a wrong clock no certificate seems to be of this time, and that is what we want to hear.
    private static bool IsGoodApartFromTime(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) =>
        errors == SslPolicyErrors.None
        || (errors == SslPolicyErrors.RemoteCertificateChainErrors
            && chain!.ChainStatus.All(status => status.Status == X509ChainStatusFlags.NotTimeValid));

    private static async ValueTask<Stream> ConnectAsync(CoverTarget target, CancellationToken cancel)
    {
        EndPoint endpoint = target.UnixPath is { } path ? new UnixDomainSocketEndPoint(path)
            : target.Address is { } address ? address
            : new DnsEndPoint(target.Host!, target.Port);
        var socket = endpoint is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(endpoint, cancel);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
