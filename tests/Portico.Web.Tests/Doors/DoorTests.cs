using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Logging;
using Portico.Protocol.ProxyProtocol;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Covers;
using Portico.TestKit.Time;
using Portico.TestKit.Web;
using Portico.TestKit.Wires;
using Portico.Web.Tests.Staging;
using Xunit;

namespace Portico.Web.Tests.Doors;

/// <summary>How connections come in, and whose they are.</summary>
public sealed class DoorTests : IDisposable
{
    private static readonly IPEndPoint Client = new(IPAddress.Parse("203.0.113.7"), 4567);

    private readonly string _directory = Directory.CreateTempSubdirectory("portico-door-").FullName;

    private string SocketPath => Path.Combine(_directory, "web.sock");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(Way.Plain)]
    [InlineData(Way.Tls)]
    [InlineData(Way.Http2)]
    public async Task A_connection_that_is_passed_on_is_its_clients(Way way)
    {
        await using var host = await StartOnSocketAsync(way.IsTls());
        using var client = host.Client(way.Version(), Header(Client));
        await client.EnterAsync();
        using var carrier = PagelessCarrier.Of(WebCarrier.Https, client);

        await carrier.SendAsync(1, AppFrame.Open(1), AppFrame.Data(1, "x"u8));
        await carrier.ReadAsync(1, 1);

        Assert.Equal(Client.Address, Assert.Single(host.Echo.Clients).Address);
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task Only_this_user_may_pass_connections_on_and_a_file_that_is_left_is_replaced()
    {
        await File.WriteAllTextAsync(SocketPath, "left");
        await using (await StartOnSocketAsync(isTls: false))
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(SocketPath));
        Assert.False(File.Exists(SocketPath));
    }

    [Fact]
    public async Task A_header_may_come_in_parts_and_with_the_request()
    {
        await using var host = await StartOnSocketAsync(isTls: false);
        byte[] bytes = [.. Header(Client), .. "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"u8];
        foreach (var cut in new[] { 0, 1, 12, 27, 28, 40 })
        {
            using var socket = await ConnectAsync();
            await socket.SendAsync(bytes.AsMemory(0, cut));
            await socket.SendAsync(bytes.AsMemory(cut));
            Assert.StartsWith("HTTP/1.1 404 ", await ReadAllAsync(socket), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\n\r\n")]
    [InlineData("\r\n\r\n\0\r\nQUIT\n\u0021\u0011\u00ff\u00ff")]
    public async Task Without_a_header_it_is_cut_off(string bytes)
    {
        await using var host = await StartOnSocketAsync(isTls: false);
        using var socket = await ConnectAsync();

        await socket.SendAsync(Encoding.Latin1.GetBytes(bytes));

        Assert.Equal("", await ReadAllAsync(socket));
    }

    [Fact]
    public async Task A_trusted_server_in_front_says_who_the_client_is()
    {
        await using var host = await WebHostUnderTest.StartAsync(
            new HostSetup { Change = settings => settings with { Trusted = [IPNetwork.Parse("127.0.0.0/8")] } });

        Assert.Equal("198.51.100.4", await ClientOfAsync(host, ["198.51.100.4"]));
        Assert.Equal("2001:db8::4", await ClientOfAsync(host, ["2001:db8::4"]));
        Assert.Equal("127.0.0.1", await ClientOfAsync(host, []));
        Assert.Null(await ClientOfAsync(host, ["198.51.100.4, 198.51.100.5"]));
        Assert.Null(await ClientOfAsync(host, ["198.51.100.4", "198.51.100.5"]));
        Assert.Null(await ClientOfAsync(host, ["198.51.100.4:80"]));
        Assert.Equal(3, host.Metrics.Value("portico_web_refused_total", ("listener", "front"), ("reason", "forwarded")));
        var warning = Assert.Single(host.Logs.Lines, line => line.EventName == "WebForwardedForUnclear");
        Assert.Equal(LogLevel.Warning, warning.Level);
        Assert.DoesNotContain("198.51.100", warning.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_else_is_believed()
    {
        await using var host = await WebHostUnderTest.StartAsync();

        Assert.Equal("127.0.0.1", await ClientOfAsync(host, ["198.51.100.4"]));
        Assert.Equal("127.0.0.1", await ClientOfAsync(host, ["not, an, address"]));
    }

    [Fact]
    public async Task A_new_certificate_is_used_and_a_broken_one_is_not()
    {
        var time = new ManualTime();
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = true, Time = time });
        var first = await CertificateAsync(host);

        CoverCertificate.Write(WebHostUnderTest.Host, host.CertificatePath, host.KeyPath);
        Assert.Equal(first, await CertificateAsync(host));
        time.Advance(TimeSpan.FromSeconds(5));
        var second = await CertificateAsync(host);
        Assert.NotEqual(first, second);

        await File.WriteAllTextAsync(host.KeyPath, "no key");
        time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(second, await CertificateAsync(host));
        Assert.Equal(LogLevel.Warning, Assert.Single(host.Logs.Lines, line => line.EventName == "WebCertificateKept").Level);

        File.Delete(host.CertificatePath);
        time.Advance(TimeSpan.FromSeconds(30));
        CoverCertificate.Write(WebHostUnderTest.Host, host.CertificatePath, host.KeyPath);
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.NotEqual(second, await CertificateAsync(host));
        Assert.Single(host.Logs.Lines, line => line.EventName == "WebCertificateKept");
    }

    [Fact]
    public async Task Half_of_a_renewal_is_no_reason_to_warn()
    {
        var time = new ManualTime();
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = true, Time = time });
        var key = await File.ReadAllTextAsync(host.KeyPath);

        CoverCertificate.Write(WebHostUnderTest.Host, host.CertificatePath, host.KeyPath);
        var newKey = await File.ReadAllTextAsync(host.KeyPath);
        await File.WriteAllTextAsync(host.KeyPath, key);
        time.Advance(TimeSpan.FromSeconds(5));
        await File.WriteAllTextAsync(host.KeyPath, newKey);
        time.Advance(TimeSpan.FromSeconds(5));

        Assert.Contains(host.Logs.Lines, line => line.EventName == "WebCertificateChanged");
        Assert.DoesNotContain(host.Logs.Lines, line => line.Level >= LogLevel.Warning);
    }

    [Theory]
    [InlineData("h2")]
    [InlineData("http/1.1")]
    [InlineData(null)]
    public async Task TLS_offers_both_versions_of_HTTP(string? protocol)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = true });

        using var stream = await TlsAsync(host, protocol);

        Assert.Equal(protocol ?? "", stream.NegotiatedApplicationProtocol.ToString());
    }

    [Fact]
    public async Task What_cannot_be_served_is_said_at_once()
    {
        await using var host = await WebHostUnderTest.StartAsync();
        await Assert.ThrowsAsync<IOException>(
            () => WebHostUnderTest.StartAsync(new HostSetup { EndPoint = host.Server.Address }));
        await Assert.ThrowsAnyAsync<IOException>(() => WebHostUnderTest.StartAsync(
            new HostSetup { Change = settings => settings with { Site = _directory + "/not-there" } }));
        await Assert.ThrowsAnyAsync<IOException>(() => WebHostUnderTest.StartAsync(
            new HostSetup { Change = settings => settings with { Certificate = SocketPath, Key = SocketPath } }));
        await File.WriteAllTextAsync(Path.Combine(_directory, "no.pem"), "nothing");
        var error = await Assert.ThrowsAsync<InvalidDataException>(() => WebHostUnderTest.StartAsync(
            new HostSetup { Change = settings => settings with { Certificate = _directory + "/no.pem", Key = _directory + "/no.pem" } }));
        Assert.Contains("no.pem", error.Message, StringComparison.Ordinal);
    }

    private static byte[] Header(IPEndPoint client)
    {
        var header = new byte[ProxyHeader.MaxLength];
        return header[..ProxyHeader.Write(header, 2, client, new IPEndPoint(IPAddress.Parse("192.0.2.1"), 443))];
    }

    private Task<WebHostUnderTest> StartOnSocketAsync(bool isTls) =>
        WebHostUnderTest.StartAsync(new HostSetup { IsTls = isTls, EndPoint = new UnixDomainSocketEndPoint(SocketPath) });

    private async Task<Socket> ConnectAsync()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(SocketPath));
        return socket;
    }

    private static async Task<string> ReadAllAsync(Socket socket)
    {
        using var clock = new CancellationTokenSource(Wire.Patience);
        var read = new MemoryStream();
        var buffer = new byte[4096];
        try
        {
            while (await socket.ReceiveAsync(buffer, clock.Token) is var count and > 0)
                read.Write(buffer, 0, count);
        }
        catch (SocketException)
        {
            // cut off
        }

        return Encoding.Latin1.GetString(read.ToArray());
    }

    // Whose a session is that is created with these values of X-Forwarded-For; null if there is none.
    private static async Task<string?> ClientOfAsync(WebHostUnderTest host, string[] forwarded)
    {
        using var client = host.Client();
        await client.OpenPageAsync();
        var content = new ByteArrayContent(WebFrame.Hello.ToArray());
        content.Headers.ContentType = new("application/octet-stream");
        using var request = client.Request(HttpMethod.Post, "/api/v1/session", client.Bootstrap, content);
        foreach (var value in forwarded)
            request.Headers.TryAddWithoutValidation("X-Forwarded-For", value);
        using var answer = await client.SendAsync(request);
        if (answer.StatusCode != HttpStatusCode.OK)
        {
            Assert.Null(answer.Headers.CacheControl); // the site's answer, not a carrier's
            return null;
        }

        string[] hosts = [WebHostUnderTest.Host];
        var bearer = "Bearer " + PagelessClient.Header(answer, "X-Session-Token");
        var token = host.Gate.Router.Route(new("POST", "/api/v1/down", hosts, [new("Authorization", bearer)])).Token;
        return host.Sessions.Find(token)!.Session.Client.Address.ToString();
    }

    private static async Task<string> CertificateAsync(WebHostUnderTest host)
    {
        using var stream = await TlsAsync(host, "h2");
        return ((X509Certificate2)stream.RemoteCertificate!).Thumbprint;
    }

    private static async Task<SslStream> TlsAsync(WebHostUnderTest host, string? protocol)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(host.Server.Address);
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = WebHostUnderTest.Host,
            ApplicationProtocols = protocol is null ? null : [new SslApplicationProtocol(protocol)],
            RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
        });
        return stream;
    }
}
