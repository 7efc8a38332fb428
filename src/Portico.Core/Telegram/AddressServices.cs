using System.Collections.Immutable;
using System.Net;
using System.Text;
using Portico.Core.Net;
using Portico.Core.Options;

namespace Portico.Core.Telegram;

/// <summary>
/// Asks services that answer with the caller's address as plain text. What they say is believed only as far as it is a public
/// address.
/// </summary>
public static class AddressServices
{
    // An IPv6 address has at most 45 characters.
    private const int Limit = 64;

    /// <summary>Asks each in turn until one answers with a public address.</summary>
    /// <param name="services">http or https.</param>
    /// <param name="patience">For one of them, answer included.</param>
    /// <param name="time">Measures it.</param>
    /// <param name="stop">Ends it at once.</param>
    /// <returns>The address, or null and what was wrong with the last one's answer.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/>.</exception>
    public static async Task<(IPAddress? Address, string Problem)> AskAsync(
        ImmutableArray<Uri> services, TimeSpan patience, TimeProvider time, CancellationToken stop)
    {
        using var downloader = new Downloader(Downloader.OverNetwork(), patience, time);
        var problem = "nobody is to be asked";
        foreach (var service in services)
        {
            var (download, address) = await AskAsync(downloader, service, stop).ConfigureAwait(false);
            if (address is not null) return (address, "");
            problem = $"{service.Host}: {download.Reason}";
        }

        return (null, problem);
    }

    /// <summary>Asks one.</summary>
    internal static async Task<(Download Download, IPAddress? Address)> AskAsync(
        Downloader downloader, Uri service, CancellationToken stop)
    {
        var download = await downloader.GetAsync(service, Limit, stop).ConfigureAwait(false);
        if (download.Result != DownloadResult.Ok) return (download, null);
        return Read(download.Body) is { } address
            ? (download, address)
            : (Download.Failed(DownloadResult.Invalid, "did not answer with a public address"), null);
    }

    // An answer such as "::1" or "10.0.0.1" comes from a service that sits in our own network.
    private static IPAddress? Read(byte[] body)
    {
        if (!NetworkText.TryAddress(Encoding.ASCII.GetString(body).Trim(), out var address))
            return null;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return AddressReach.Of(address) == Reach.World ? address : null;
    }
}
