using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Portico.Core.Net;
using Portico.Core.Net.Epoll;
using Portico.TestKit.Covers;
using Portico.TestKit.Proxies;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Net;

/// <summary>What the kernel does for the proxy's sockets, as anybody at the other end can see it.</summary>
public sealed class AcceptedSocketTests
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_strangers_connection_is_never_asked_whether_it_is_alive(EngineKind engine)
    {
        if (!OperatingSystem.IsLinux()) return;
        await using var site = CoverSite.Start();
        await using var test = ProxyUnderTest.Start(engine, site.Settings());
        await using var stranger = await Wire.ConnectAsync(test.Endpoint);
        await stranger.SendAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
        await using var visit = await site.NextVisitAsync();
        await visit.ReadExactlyAsync(18);
        await visit.SendAsync("HTTP/1.1 200 OK\r\n\r\n"u8.ToArray());
        await stranger.ReadExactlyAsync(19);
        await UntilAsync(SocketTimer.None, test.Endpoint, stranger.Local);

        // The cover's end is ours, and nothing else would find out that it is gone.
        await UntilAsync(SocketTimer.KeepAlive, visit.Remote, visit.Local);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_client_is_never_asked_whether_it_is_alive_and_its_data_centre_is(EngineKind engine)
    {
        if (!OperatingSystem.IsLinux()) return;
        await using var test = ProxyUnderTest.Start(engine);
        await using var client = await test.GreetAsync();
        await client.EchoAsync(100);
        await client.EchoAsync(100); // a connection that lives on
        var dc = await test.Telegram.NextConnectionAsync();
        await UntilAsync(SocketTimer.None, test.Endpoint, client.Wire.Local);
        await UntilAsync(SocketTimer.KeepAlive, dc.Caller, test.Telegram.Endpoint);
        Assert.Equal(SocketTimer.None, SocketTimers.Of(test.Endpoint, client.Wire.Local));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task The_kernel_takes_no_more_than_128_KB_unsent_for_a_client(EngineKind engine)
    {
        if (!OperatingSystem.IsLinux()) return;
        await using var test = ProxyUnderTest.Start(engine);
        await using var client = await test.GreetAsync();
        Assert.Equal(128u * 1024, UnsentLimit(SocketTimers.Descriptor(test.Endpoint, client.Wire.Local)));
        Assert.NotEqual(128u * 1024, UnsentLimit(SocketTimers.Descriptor(client.Wire.Local, test.Endpoint)));
    }

    [Fact]
    public void A_connection_that_epoll_does_not_take_pauses_the_listener_instead_of_coming_back_at_once()
    {
        if (!OperatingSystem.IsLinux()) return;
        var loop = new EpollLoop(0, TimeProvider.System);
        var address = ListeningSocket.ProbeFree(new IPEndPoint(IPAddress.Loopback, 0));
        var acceptor = new NotingAcceptor();
        var listener = new EpollListener(loop, ListeningSocket.OpenGroup(address, 1)[0], acceptor, isShared: false);
        loop.Dispose(); // nothing can be registered any more
        using var client = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(address);
        listener.AcceptQueued(8);
        Assert.Equal((0, 1), (acceptor.Accepted, acceptor.Paused));
        Assert.Equal(0, client.Receive(new byte[1])); // closed, not forgotten
        EpollLoop.Release(listener.Descriptor);
    }

    private static unsafe uint UnsentLimit(int descriptor)
    {
        uint bytes, length = sizeof(uint);
        Assert.Equal(0, Native.getsockopt(descriptor, Native.IPPROTO_TCP, Native.TCP_NOTSENT_LOWAT, &bytes, &length));
        return bytes;
    }

    private static async Task UntilAsync(SocketTimer timer, IPEndPoint owner, IPEndPoint peer)
    {
        for (var clock = Stopwatch.StartNew(); SocketTimers.Of(owner, peer) is var seen && seen != timer; await Task.Delay(20))
            Assert.True(clock.Elapsed < Wire.Patience, $"the timer of {owner} towards {peer} is {seen}, expected {timer}");
    }

    private sealed class NotingAcceptor : IAcceptor
    {
        public int Accepted { get; private set; }

        public int Paused { get; private set; }

        public void OnAccepted(Channel channel) => Accepted++;

        public void OnAcceptPaused(string error) => Paused++;
    }
}
