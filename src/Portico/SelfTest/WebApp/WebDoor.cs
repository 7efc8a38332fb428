using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Portico.SelfTest.WebApp;

/// <summary>Where an app finds the WEB host that its link names.</summary>
/// <param name="BridgeUrl">What it makes of its link.</param>
/// <param name="Dial">A connection to that host, whatever its name resolves to.</param>
/// <param name="IsTrusted">Judges the certificate.</param>
internal sealed record WebDoor(
    Uri BridgeUrl, Func<CancellationToken, Task<Socket>> Dial, RemoteCertificateValidationCallback IsTrusted)
{
    /// <summary>A connection of its own, over which HTTP/1.1 is spoken.</summary>
    /// <exception cref="CheckFailedException">What answers speaks no TLS, or not with a certificate that is trusted.</exception>
    /// <exception cref="SocketException">There is no connection.</exception>
    public async Task<SslStream> ConnectAsync(CancellationToken cancel)
    {
        var stream = new SslStream(new NetworkStream(await Dial(cancel), ownsSocket: true));
        try
        {
            await stream.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = BridgeUrl.Host,
                    RemoteCertificateValidationCallback = IsTrusted,
                    ApplicationProtocols = [SslApplicationProtocol.Http11],
                },
                cancel);
            return stream;
        }
        catch (Exception problem)
        {
            await stream.DisposeAsync();
            if (problem is AuthenticationException or IOException)
                throw new CheckFailedException($"no TLS: {problem.GetBaseException().Message.ReplaceLineEndings(" ")}");
            throw;
        }
    }

    /// <summary>Without the capability, which is as good as the secret.</summary>
    public override string ToString() => BridgeUrl.Host;
}
