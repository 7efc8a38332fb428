using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Portico.TestKit.Wires;
using Portico.Web.Tests.Staging;
using Xunit;

namespace Portico.Web.Tests.Doors;

/// <summary>TLS of our own, before clients of every kind.</summary>
public sealed class TlsTests
{
    private const string Request = "GET / HTTP/1.1\r\nHost: proxy.example.com\r\nConnection: close\r\n\r\n";

    [Theory]
    [InlineData(SslProtocols.Tls12, "http/1.1", "http/1.1")]
    [InlineData(SslProtocols.Tls13, "http/1.1", "http/1.1")]
    [InlineData(SslProtocols.Tls13, "h2,http/1.1", "h2")]
    [InlineData(SslProtocols.Tls13, "http/1.1,h2", "h2")]
    [InlineData(SslProtocols.Tls13, "spdy/3,http/1.1", "http/1.1")]
    [InlineData(SslProtocols.Tls13, "", "")]
    public async Task What_a_client_offers_is_agreed_on(SslProtocols protocol, string offered, string expected)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = true });
        using var stream = await ConnectAsync(host, protocol, offered);

        Assert.Equal(expected, stream.NegotiatedApplicationProtocol.ToString());
        Assert.Equal(protocol, stream.SslProtocol);
        if (expected == "h2") return;
        await stream.WriteAsync(Encoding.ASCII.GetBytes(Request), Clock());
        Assert.StartsWith("HTTP/1.1 404 ", await ReadAllAsync(stream), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, 70)] // protocol_version (RFC 8446 section 6)
    [InlineData(true, 120)] // no_application_protocol (RFC 7301)
    public async Task What_cannot_be_agreed_on_is_refused(bool hasVersion, byte alert)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = true });
        var hello = await HelloAsync(SslProtocols.Tls12, hasVersion ? "spdy/3" : "");
        if (!hasVersion) hello[10] = 2; // TLS 1.1 is the latest that it knows
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(host.Server.Address, Clock());

        await socket.SendAsync(hello, Clock());

        var answer = new byte[100];
        Assert.Equal(7, await socket.ReceiveAsync(answer, Clock()));
        Assert.Equal([0x15, 2, alert], [answer[0], answer[5], answer[6]]);
        Assert.Equal(0, await socket.ReceiveAsync(answer, Clock()));
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\n\r\n")]
    [InlineData("\u0016\u0003\u0001\u0000\u0005hello")]
    [InlineData("\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000")]
    public async Task What_is_no_handshake_gets_an_alert_or_nothing_and_the_end(string bytes)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = true });

        var answer = await RawHttp.AskAsync(host.Server.Address, bytes);

        Assert.InRange(answer.Length, 0, 100);
        Assert.DoesNotContain("HTTP", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_has_finished_behind_a_hello_is_answered()
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = true });
        var hello = await HelloAsync(SslProtocols.Tls13, "");
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(host.Server.Address, Clock());

        await socket.SendAsync(hello, Clock());
        socket.Shutdown(SocketShutdown.Send);

        var answer = new byte[4096];
        Assert.InRange(await socket.ReceiveAsync(answer, Clock()), 100, 4096);
        Assert.Equal([0x16, 0x03, 0x03], answer[..3]); // ServerHello
    }

    [Fact]
    public async Task A_handshake_may_come_byte_by_byte()
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = true });
        using var socket = new TcpClient { NoDelay = true };
        await socket.ConnectAsync(host.Server.Address.ToString()!.Split(':')[0], ((System.Net.IPEndPoint)host.Server.Address).Port);
        await using var slow = new ByteByByte(socket.GetStream());
        using var stream = new SslStream(slow);
        await stream.AuthenticateAsClientAsync(Options(SslProtocols.Tls13, "http/1.1"), Clock());

        await stream.WriteAsync(Encoding.ASCII.GetBytes(Request), Clock());

        Assert.StartsWith("HTTP/1.1 404 ", await ReadAllAsync(stream), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_hundred_at_once_and_some_that_leave_in_the_middle_are_served()
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = true, Loops = 2 });

        await Task.WhenAll(Enumerable.Range(0, 200).Select(async i =>
        {
            if (i % 4 == 0)
            {
                await RawHttp.SendAsync(host.Server.Address, "\u0016\u0003\u0001\u0002\u0000\u0001");
                return;
            }

            using var stream = await ConnectAsync(host, SslProtocols.Tls13, "http/1.1");
            if (i % 4 == 1) return;
            await stream.WriteAsync(Encoding.ASCII.GetBytes(Request), Clock());
            Assert.StartsWith("HTTP/1.1 404 ", await ReadAllAsync(stream), StringComparison.Ordinal);
        }));

        var clock = Clock();
        while (host.Loops.Sum(loop => loop.Slots.Count) > 0) await Task.Delay(10, clock);
    }

    private static SslClientAuthenticationOptions Options(SslProtocols protocol, string offered) => new()
    {
        TargetHost = WebHostUnderTest.Host,
        EnabledSslProtocols = protocol,
        RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
        ApplicationProtocols = offered.Length == 0 ? null : [.. offered.Split(',').Select(name => new SslApplicationProtocol(name))],
    };

    private static async Task<byte[]> HelloAsync(SslProtocols protocol, string offered)
    {
        using var recorded = new Recorder();
        using (var client = new SslStream(recorded, leaveInnerStreamOpen: true))
            await Assert.ThrowsAnyAsync<IOException>(() => client.AuthenticateAsClientAsync(Options(protocol, offered), Clock()));
        return recorded.Written;
    }

    private static async Task<SslStream> ConnectAsync(WebHostUnderTest host, SslProtocols protocol, string offered)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(host.Server.Address, Clock());
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
        try
        {
            await stream.AuthenticateAsClientAsync(Options(protocol, offered), Clock());
            return stream;
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    private static async Task<string> ReadAllAsync(Stream stream)
    {
        using var reader = new StreamReader(stream, Encoding.Latin1);
        return await reader.ReadToEndAsync(Clock());
    }

    private static CancellationToken Clock() => new CancellationTokenSource(Wire.Patience).Token;

    /// <summary>Keeps what is written, and has nothing to read.</summary>
    private sealed class Recorder : MemoryStream
    {
        public byte[] Written { get; private set; } = [];

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Written = [.. Written, .. buffer.Span];
            return default;
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(0);
    }

    private sealed class ByteByByte(NetworkStream inner) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            inner.ReadAsync(buffer, cancellationToken);

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            for (var at = 0; at < buffer.Length; at++) await inner.WriteAsync(buffer.Slice(at, 1), cancellationToken);
        }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override async ValueTask DisposeAsync()
        {
            await inner.DisposeAsync();
            await base.DisposeAsync();
        }
    }
}
