using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Portico.Core;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Users;
using Portico.IntegrationTests.Net;
using Portico.Protocol;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Portico.TestKit.Diagnostics;
using Xunit;

namespace Portico.IntegrationTests.Backends;

/// <summary>Direct mode takes a local port for each client, and there are only so many for each address of a data centre.</summary>
public sealed class LocalPortTests
{
    private const int Sessions = 1000, PatienceMs = 15_000;

    private static readonly ProxySecret Secret = ProxySecret.Create("0123456789abcdef"u8);

    [NamespaceFact]
    public void A_thousand_sessions_one_after_the_other_are_served_with_two_hundred_local_ports() =>
        NetworkNamespace.Run("40000 40199", () =>
        {
            using var dc = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            dc.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            dc.Listen(512);
            new Thread(() => Serve(dc)) { IsBackground = true }.Start();
            using var metrics = new MetricsProbe();
            var proxy = PorticoProxy.Start(
                Settings((IPEndPoint)dc.LocalEndPoint!), NullLoggerFactory.Instance, metrics, TimeProvider.System);
            var served = 0;
            for (var i = 0; i < Sessions; i++) served += TryTalk(proxy.Endpoints[0], i) ? 1 : 0;
            Assert.Equal(Sessions, served);
            proxy.StopAsync(TimeSpan.Zero).GetAwaiter().GetResult();
        });

    [NamespaceFact]
    public void Where_no_local_port_is_left_the_log_says_so_and_does_not_blame_Telegram() => NetworkNamespace.Run("40000 40009", () =>
    {
        using var dc = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        dc.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        dc.Listen(512);
        new Thread(() => Serve(dc)) { IsBackground = true }.Start();
        using var metrics = new MetricsProbe();
        using var log = new LogProbe();
        var proxy = PorticoProxy.Start(Settings((IPEndPoint)dc.LocalEndPoint!), log.Factory, metrics, TimeProvider.System);
        var clients = Enumerable.Range(0, 20).Select(i => Connect(proxy.Endpoints[0], i)).ToList();
        Assert.InRange(clients.Count(client => client.Receive(new byte[100]) == 0), 1, 19);
        foreach (var client in clients) client.Dispose();
        proxy.StopAsync(TimeSpan.Zero).GetAwaiter().GetResult();
        Assert.Equal("NoLocalPorts", Assert.Single(log.Lines, line => line.Level == LogLevel.Warning).EventName);
    });

    [NamespaceFact]
    public void Two_local_addresses_have_ports_for_twice_as_many() => NetworkNamespace.Run("40000 40009", () =>
    {
        using var dc = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        dc.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        dc.Listen(512);
        new Thread(() => Serve(dc)) { IsBackground = true }.Start();
        using var metrics = new MetricsProbe();
        var settings = Settings((IPEndPoint)dc.LocalEndPoint!) with
        {
            LocalAddresses =
            [
                IPAddress.Parse("127.0.0.2"), IPAddress.Parse("192.0.2.1"), IPAddress.IPv6Loopback, IPAddress.Parse("127.0.0.3"),
            ],
        };
        var proxy = PorticoProxy.Start(settings, NullLoggerFactory.Instance, metrics, TimeProvider.System);
        // Ten ports less the two that are listened on; the clients' own are others.
        var clients = Enumerable.Range(0, 16).Select(i => Connect(proxy.Endpoints[0], i, 50000)).ToList();
        Assert.Equal(16, clients.Count(client => client.Receive(new byte[100]) > 0));
        foreach (var client in clients) client.Dispose();
        proxy.StopAsync(TimeSpan.Zero).GetAwaiter().GetResult();
    });

    // From an address of its own, whose ports are not the proxy's.
    private static bool TryTalk(IPEndPoint proxy, int number)
    {
        using var socket = Connect(proxy, number / 100);
        if (socket.Receive(new byte[100]) == 0) return false;
        socket.Shutdown(SocketShutdown.Both);
        return true;
    }

    private static Socket Connect(IPEndPoint proxy, int address, int port = 0)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = PatienceMs };
        socket.Bind(new IPEndPoint(new IPAddress([127, 1, (byte)address, 1]), port));
        socket.Connect(proxy);
        var header = ClientHeader.Create(Secret, Transport.Intermediate, 2, out _);
        socket.Send([.. header, 4, 0, 0, 0, 1, 2, 3, 4]);
        return socket;
    }

    // Answers everything with a few bytes and goes when its peer goes.
    private static void Serve(Socket listening)
    {
        try
        {
            while (true)
            {
                var connection = listening.Accept();
                new Thread(() => Answer(connection)) { IsBackground = true }.Start();
            }
        }
        catch (Exception over) when (over is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private static void Answer(Socket connection)
    {
        try
        {
            var bytes = new byte[1024];
            while (connection.Receive(bytes) > 0) connection.Send(bytes.AsSpan(0, 40));
        }
        catch (SocketException)
        {
            // RST is what it should be.
        }

        connection.Dispose();
    }

    private static ProxySettings Settings(IPEndPoint dc) => new()
    {
        Listeners =
        [
            new ListenerSettings
            {
                Name = "main", Address = new IPEndPoint(IPAddress.Loopback, 0),
                Credentials = [new Credential("default", Secret)], Protocols = ClientProtocols.Classic,
            },
        ],
        Direct = new DirectSettings { Endpoints = ImmutableDictionary<int, ImmutableArray<IPEndPoint>>.Empty.Add(2, [dc]) },
        TimeWindow = new TimeWindowSettings(),
        Timeouts = new TimeoutSettings(),
        DataDirectory = "",
        Engine = EngineKind.Epoll,
        Loops = 1,
    };
}
