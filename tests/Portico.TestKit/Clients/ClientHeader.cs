using System.Security.Cryptography;
using Portico.Protocol;
using Portico.Protocol.Obfuscation;
using Portico.Protocol.Secrets;

namespace Portico.TestKit.Clients;

/// <summary>The 64 bytes that a client begins with (spec/01 section 2).</summary>
public static class ClientHeader
{
    /// <summary>A fresh header as it goes on the wire.</summary>
    /// <param name="secret">Null when talking to a data centre.</param>
    /// <param name="transport">The framing to announce.</param>
    /// <param name="dc">Signed id.</param>
    /// <param name="streams">Both directions, ready for the byte behind the header.</param>
    /// <param name="start">The first bytes; empty = random, avoiding what means something else outside TLS.</param>
    public static byte[] Create(
        ProxySecret? secret, Transport transport, short dc, out ObfuscatedStreams streams, ReadOnlySpan<byte> start = default)
    {
        var header = new byte[ObfuscatedHeader.Length];
        do
            RandomNumberGenerator.Fill(header);
        while (ObfuscatedHeader.HasForbiddenStart(header));
        start.CopyTo(header);
        ObfuscatedHeader.Write(header, secret, transport, dc, out streams);
        return header;
    }
}
