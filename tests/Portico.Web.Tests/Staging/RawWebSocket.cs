using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Web.Tests.Staging;

/// <summary>A WebSocket of a session's as bytes, for those who keep to no rules; nothing is read or answered by itself.</summary>
internal sealed class RawWebSocket : IDisposable
{
    private readonly IDisposable[] _parts;

    private RawWebSocket(Stream stream, params IDisposable[] parts) => (Stream, _parts) = (stream, parts);

    /// <summary>Frames either way, from the first byte on.</summary>
    public Stream Stream { get; }

    /// <param name="host">The host, which speaks TLS if this is HTTP/2.</param>
    /// <param name="token">Of the session.</param>
    /// <param name="version">Of HTTP.</param>
    public static Task<RawWebSocket> OpenAsync(WebHostUnderTest host, string token, Version version) =>
        version == HttpVersion.Version11 ? UpgradeAsync(host, token) : ExtendAsync(host, token);

    /// <summary>A whole frame of an app's. Masked by zeros, so that its bytes are what they say.</summary>
    public static byte[] Frame(byte first, ReadOnlySpan<byte> payload)
    {
        Assert.InRange(payload.Length, 0, 125);
        return [first, (byte)(0x80 | payload.Length), 0, 0, 0, 0, .. payload];
    }

    public void Dispose()
    {
        Stream.Dispose();
        foreach (var part in _parts) part.Dispose();
    }

    private static async Task<RawWebSocket> UpgradeAsync(WebHostUnderTest host, string token)
    {
        using var clock = new CancellationTokenSource(Wire.Patience);
        // The kernel takes little of what nobody reads.
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 16 * 1024 };
        await socket.ConnectAsync(host.Server.Address, clock.Token);
        var stream = new NetworkStream(socket, ownsSocket: true);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(RawHttp.Handshake("/api/v1/ws", $"tproxy-v1.{token}")), clock.Token);
        var head = "";
        for (var one = new byte[1]; !head.EndsWith("\r\n\r\n", StringComparison.Ordinal); head += (char)one[0])
            await stream.ReadExactlyAsync(one, clock.Token);
        Assert.StartsWith("HTTP/1.1 101 ", head, StringComparison.Ordinal);
        return new RawWebSocket(stream);
    }

    // RFC 8441.
    private static async Task<RawWebSocket> ExtendAsync(WebHostUnderTest host, string token)
    {
        using var clock = new CancellationTokenSource(Wire.Patience);
        var http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            UseProxy = false,
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
            },
            ConnectCallback = async (_, cancel) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(host.Server.Address, cancel);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        var request = new HttpRequestMessage(HttpMethod.Connect, $"https://{WebHostUnderTest.Host}/api/v1/ws")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Headers = { Protocol = "websocket" },
        };
        request.Headers.Add("Sec-WebSocket-Version", "13");
        request.Headers.Add("Sec-WebSocket-Protocol", $"tproxy-v1.{token}");
        var answer = await http.SendAsync(request, clock.Token);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return new RawWebSocket(await answer.Content.ReadAsStreamAsync(clock.Token), answer, request, http);
    }
}
