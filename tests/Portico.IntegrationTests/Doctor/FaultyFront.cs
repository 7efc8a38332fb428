using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Portico.Doctor;

namespace Portico.IntegrationTests.Doctor;

/// <summary>
/// A server in front that speaks TLS and HTTP/1.1, one request a connection, and gets wrong what it is told to: each fault is one that
/// operators bring about in the configuration of a real one.
/// </summary>
internal sealed class FaultyFront : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly SslStreamCertificateContext _certificate;
    private readonly IPEndPoint _host;
    private readonly List<Task> _connections = [];
    private readonly Task _accepting;

    private FaultyFront(IPEndPoint host, X509Certificate2 certificate, X509Certificate2Collection between)
    {
        _host = host;
        _certificate = SslStreamCertificateContext.Create(certificate, between, offline: true);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Changes the lines of a request's head; it ends in an empty one.</summary>
    public Func<List<string>, IEnumerable<string>> Rewrite { get; set; } = lines => lines;

    /// <summary>Requests are kept until they are whole.</summary>
    public bool Collects { get; set; }

    /// <summary>Answers are kept until they are whole.</summary>
    public bool Buffers { get; set; }

    /// <summary>How long the head of an answer may take; then it is 504.</summary>
    public TimeSpan Patience { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>For which every name leads here.</summary>
    public NetworkAccess Access => To((IPEndPoint)_listener.LocalEndpoint);

    /// <summary>For which every name leads to a place.</summary>
    public static NetworkAccess To(IPEndPoint place)
    {
        var real = new NetworkAccess(IsOffline: false);
        return real with
        {
            Resolve = (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback]),
            Dial = (endpoint, stop) => endpoint.Port == 443 ? real.Dial(place, stop) : throw new InvalidOperationException($"{endpoint}"),
        };
    }

    public static FaultyFront Start(IPEndPoint host, X509Certificate2 certificate, X509Certificate2Collection? between = null) =>
        new(host, certificate, between ?? []);

    /// <summary>What takes one header away and puts another in its place.</summary>
    public static Func<List<string>, IEnumerable<string>> With(string name, Func<string?, string?> value) => lines =>
    {
        var start = name + ": ";
        var old = lines.Find(line => line.StartsWith(start, StringComparison.OrdinalIgnoreCase))?[start.Length..];
        var kept = lines.SkipLast(1).Where(line => !line.StartsWith(start, StringComparison.OrdinalIgnoreCase));
        return value(old) is { } put ? [.. kept, start + put, ""] : [.. kept, ""];
    };

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(_connections).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true) _connections.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_end.Token)));
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var socket = client;
        await using var front = new SslStream(client.GetStream());
        await front.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions
            {
                ServerCertificateContext = _certificate,
                ApplicationProtocols = [SslApplicationProtocol.Http11],
            },
            _end.Token);
        if (await ReadHeadAsync(front, _end.Token) is not { } head) return;
        using var behind = new TcpClient();
        await behind.ConnectAsync(_host, _end.Token);
        await using var back = behind.GetStream();
        // The client's end is the host's too: a request that waits is given up.
        using var over = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
        var up = UpAsync(front, back, head, over.Token);
        var down = DownAsync(front, back, over.Token);
        await Task.WhenAny(down, WhenLeft(up));
        await over.CancelAsync();
        await Task.WhenAll(up, down).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        static async Task WhenLeft(Task<bool> up)
        {
            if (await up) await Task.Delay(Timeout.Infinite);
        }
    }

    // False if the client has left.
    private async Task<bool> UpAsync(SslStream front, NetworkStream back, List<string> head, CancellationToken over)
    {
        var isUpgrade = head.Exists(line => line.StartsWith("Upgrade:", StringComparison.OrdinalIgnoreCase));
        var length = LengthOf(ValueOf(head, "Content-Length") ?? "0");
        var lines = Rewrite(isUpgrade ? head : [.. With("Connection", _ => "close")(head)]);
        var bytes = Encoding.Latin1.GetBytes(string.Join("\r\n", lines) + "\r\n");
        if (!Collects) await back.WriteAsync(bytes, over);
        var body = new byte[length];
        await front.ReadExactlyAsync(body, over);
        if (Collects) await back.WriteAsync(bytes, over);
        await back.WriteAsync(body, over);
        var buffer = new byte[16 * 1024];
        while (await front.ReadAsync(buffer, over) is var count and > 0)
            await back.WriteAsync(buffer.AsMemory(0, count), over);
        return false;
    }

    private async Task DownAsync(SslStream front, NetworkStream back, CancellationToken over)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(over);
        limit.CancelAfter(Patience);
        try
        {
            if (await ReadHeadAsync(back, limit.Token) is not { } head) return;
            var kept = new MemoryStream();
            Stream target = Buffers ? kept : front;
            await target.WriteAsync(Encoding.Latin1.GetBytes(string.Join("\r\n", head) + "\r\n"), over);
            if (ValueOf(head, "Content-Length") is { } length)
                await CopyAsync(back, target, LengthOf(length), over);
            else await back.CopyToAsync(target, over);
            kept.Position = 0;
            await kept.CopyToAsync(front, over);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !over.IsCancellationRequested)
        {
            await front.WriteAsync("HTTP/1.1 504 Gateway Time-out\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray(), over);
        }

        await front.ShutdownAsync();
    }

    private static async Task CopyAsync(NetworkStream from, Stream to, long length, CancellationToken over)
    {
        var buffer = new byte[16 * 1024];
        while (length > 0)
        {
            var count = await from.ReadAsync(buffer.AsMemory(0, (int)Math.Min(length, buffer.Length)), over);
            if (count == 0) throw new EndOfStreamException();
            await to.WriteAsync(buffer.AsMemory(0, count), over);
            length -= count;
        }
    }

    private static long LengthOf(string text) => long.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    private static string? ValueOf(List<string> head, string name) => head
        .Find(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))?[(name.Length + 1)..].Trim();

    // Lines, the empty one at the end among them.
    private static async Task<List<string>?> ReadHeadAsync(Stream stream, CancellationToken stop)
    {
        var head = new List<byte>();
        var one = new byte[1];
        while (!(head is [.., 13, 10, 13, 10]))
        {
            if (await stream.ReadAsync(one, stop) == 0) return null;
            head.Add(one[0]);
        }

        return [.. Encoding.Latin1.GetString([.. head]).Split("\r\n")[..^1]];
    }
}
