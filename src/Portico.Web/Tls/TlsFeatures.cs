using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Portico.Web.Tls;

/// <summary>What the web server wants to know of a connection's TLS: that there is some, and what is spoken inside.</summary>
/// <param name="session">Its handshake is done.</param>
internal sealed class TlsFeatures(TlsSession session) : ITlsConnectionFeature, ITlsApplicationProtocolFeature, ITlsHandshakeFeature
{
    public ReadOnlyMemory<byte> ApplicationProtocol { get; } = session.Protocol;

    public SslProtocols Protocol { get; } = session.IsLatest ? SslProtocols.Tls13 : SslProtocols.Tls12;

    /// <summary>Nobody is asked for one.</summary>
    public X509Certificate2? ClientCertificate
    {
        get => null;
        set => throw new NotSupportedException();
    }

    public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) =>
        Task.FromResult<X509Certificate2?>(null);

#pragma warning disable SYSLIB0058 // The interface has them still; nobody asks.
    public CipherAlgorithmType CipherAlgorithm => CipherAlgorithmType.None;

    public int CipherStrength => 0;

    public HashAlgorithmType HashAlgorithm => HashAlgorithmType.None;

    public int HashStrength => 0;

    public ExchangeAlgorithmType KeyExchangeAlgorithm => ExchangeAlgorithmType.None;

    public int KeyExchangeStrength => 0;
#pragma warning restore SYSLIB0058

    public TlsCipherSuite? NegotiatedCipherSuite => null;
}
