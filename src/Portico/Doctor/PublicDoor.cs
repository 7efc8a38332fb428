using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Portico.SelfTest;
using Portico.SelfTest.WebApp;

namespace Portico.Doctor;

/// <summary>WEB hosts as the world finds them: by their name, on the one port that links can mean.</summary>
/// <param name="access">How others are reached.</param>
internal sealed class PublicDoor(NetworkAccess access)
{
    private const int Port = 443;

    /// <summary>Whether a host may be asked.</summary>
    public bool MayAsk(string host) => access.MayAsk(host);

    /// <summary>For one connection, and again for an answer.</summary>
    public TimeSpan Patience => access.Patience;

    /// <summary>A connection by the first address that takes one.</summary>
    /// <returns>No socket if none does, and how the last one refused; unreachable if there is no address.</returns>
    public async Task<(Socket? Socket, Contact Contact)> DialAsync(string host, CancellationToken stop)
    {
        var contact = Contact.Unreachable;
        foreach (var address in await access.FindAsync(host, stop))
        {
            (var socket, contact) = await access.TryDialAsync(new IPEndPoint(address, Port), stop);
            if (socket is not null) return (socket, contact);
        }

        return (null, contact);
    }

    /// <summary>The door for an app with a link. Any certificate will do: there is a check for that.</summary>
    /// <param name="bridgeUrl">What the app makes of its link.</param>
    public WebDoor Of(Uri bridgeUrl) => new(
        bridgeUrl,
        async stop => (await DialAsync(bridgeUrl.Host, stop)).Socket
            ?? throw new CheckFailedException($"{bridgeUrl.Host} takes no connection on port {Port} any more"),
        (_, certificate, _, _) => certificate is not null);

    /// <summary>The certificate that is shown there, and what is sent along with it; null = nobody speaks TLS there.</summary>
    public async Task<X509Certificate2Collection?> CertificatesAsync(string host, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(access.Patience);
        X509Certificate2Collection? shown = null;
        var door = Of(new Uri($"https://{host}/")) with
        {
            IsTrusted = (_, certificate, chain, _) =>
            {
                // Copies: these live no longer than the handshake.
                if (certificate is null) return false;
                var own = certificate.GetRawCertData();
                shown = [X509CertificateLoader.LoadCertificate(own)];
                foreach (var sent in chain?.ChainPolicy.ExtraStore ?? [])
                {
                    if (!sent.RawDataMemory.Span.SequenceEqual(own))
                        shown.Add(X509CertificateLoader.LoadCertificate(sent.RawData));
                }

                return true;
            },
        };
        try
        {
            await using var stream = await door.ConnectAsync(limit.Token);
            return shown;
        }
        catch (Exception problem) when (problem is CheckFailedException or SocketException)
        {
            return null;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return null;
        }
    }
}
