using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Portico.Core.Options;
using Portico.TestKit.Wires;

namespace Portico.TestKit.Covers;

/// <summary>
/// A server in place of the web site that strangers see:
/// hands every connection to the test, which says and hears what it wants there.
/// </summary>
public sealed class CoverSite : IAsyncDisposable
{
    private readonly Channel<Wire> _visits = Channel.CreateUnbounded<Wire>();
    private readonly Socket _listening;
    private readonly Task _accepting;
    private int _count;

    private CoverSite(Socket listening, CoverTarget target)
    {
        _listening = listening;
        Target = target;
        _accepting = AcceptAsync();
    }

    /// <summary>What the proxy calls it.</summary>
    public CoverTarget Target { get; }

    /// <summary>Connections taken so far.</summary>
    public int Visits => Volatile.Read(ref _count);

    /// <summary>Listens on a loopback port of the system's choice.</summary>
    public static CoverSite Start() => Start(new IPEndPoint(IPAddress.Loopback, 0));

    /// <summary>Listens on a Unix socket.</summary>
    public static CoverSite StartUnix(string path) => Start(new UnixDomainSocketEndPoint(path));

    /// <summary>A proxy that shows this site.</summary>
    public Func<ProxySettings, ProxySettings> Settings(Func<CoverSettings, CoverSettings>? change = null) => settings =>
    {
        var cover = new CoverSettings { Mode = CoverMode.Fixed, Target = Target };
        return settings with { Cover = change?.Invoke(cover) ?? cover };
    };

    /// <summary>The next connection; the caller disposes of it.</summary>
    public async Task<Wire> NextVisitAsync()
    {
        using var patience = new CancellationTokenSource(Wire.Patience);
        return await _visits.Reader.ReadAsync(patience.Token);
    }

    public async ValueTask DisposeAsync()
    {
        _listening.Dispose();
        await _accepting;
        while (_visits.Reader.TryRead(out var left)) await left.DisposeAsync();
    }

    private static CoverSite Start(EndPoint endpoint)
    {
        var socket = new Socket(
            endpoint.AddressFamily, SocketType.Stream, endpoint is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);
        socket.Bind(endpoint);
        socket.Listen(512);
        return new(
            socket,
            socket.LocalEndPoint is IPEndPoint address ? CoverTarget.OfAddress(address) : CoverTarget.OfUnixPath(endpoint.ToString()!));
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var accepted = await _listening.AcceptAsync();
                Interlocked.Increment(ref _count);
                if (Wire.TryWrap(accepted) is { } visit) _visits.Writer.TryWrite(visit);
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            _visits.Writer.TryComplete(); // disposed of
        }
    }
}
