using System.Net;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Tests.Staging;
using Portico.TestKit.Memory;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Admission;

/// <summary>Connections of one address that have shown no secret.</summary>
public sealed class AddressLimitsTests : IDisposable
{
    private const int Most = 3;

    private readonly Stage _stage = Of(Most);

    public void Dispose()
    {
        _stage.AssertNoFault();
        _stage.Dispose();
    }

    [Fact]
    public void One_too_many_ends_the_oldest()
    {
        var peers = Call(Most + 2, "192.0.2.1");
        Assert.Equal([PeerEnd.Fin, PeerEnd.Fin, PeerEnd.None, PeerEnd.None, PeerEnd.None], peers.Select(peer => peer.End));
        Assert.All(peers, peer => Assert.Empty(peer.Take()));
        Assert.Equal(["address_limit (client)", "address_limit (client)"], _stage.Metrics.Closed);
        Assert.Equal(2, _stage.Metrics.Sum("portico.connections.closed", "reason", "address_limit"));
    }

    [Fact]
    public void A_flood_from_one_address_ends_nobody_elses_connection_and_no_client()
    {
        var (client, dc) = _stage.Relay();
        var other = Call(1, "192.0.2.7")[0];
        Call(50, "192.0.2.1");
        Assert.Equal(PeerEnd.None, other.End);
        client.Say("up"u8);
        _stage.Run();
        Assert.Equal("up"u8, dc.Text);
        Assert.Equal(50 - Most, _stage.Metrics.Closed.Count());
    }

    [Theory]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true)]
    public void An_address_is_all_of_ipv4_and_half_of_ipv6(string one, string another, bool isSame)
    {
        Call(Most, one);
        Call(1, another);
        Assert.Equal(isSame ? 1 : 0, _stage.Metrics.Closed.Count());
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.9.9.9")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    public void Forwarders_on_this_machine_are_not_counted(string address)
    {
        Assert.All(Call(10, address), peer => Assert.Equal(PeerEnd.None, peer.End));
    }

    [Fact]
    public void Who_has_shown_a_secret_does_not_count_any_more()
    {
        for (var i = 0; i < 10; i++) _stage.Relay();
        Assert.All(Call(Most, "192.0.2.1"), peer => Assert.Equal(PeerEnd.None, peer.End));
        Assert.Empty(_stage.Metrics.Closed);
    }

    [Fact]
    public void Strangers_that_have_been_seen_off_count_until_they_are_gone()
    {
        var peers = Enumerable.Range(0, Most).Select(_ => _stage.CallRaw()).ToList();
        peers.ForEach(peer => peer.Send("GET / HTTP/1.1\r\n\r\n"u8));
        _stage.Run();
        Assert.Empty(_stage.Metrics.Closed); // their FIN is waited for
        Call(1, "192.0.2.1");
        Assert.Equal(["address_limit (client)"], _stage.Metrics.Closed);
        peers[1].Finish();
        _stage.Run();
        Call(1, "192.0.2.1");
        Assert.Equal(2, _stage.Metrics.Closed.Count()); // one went by itself, so nobody had to
    }

    [Fact]
    public void Nothing_is_kept_of_addresses_that_are_gone()
    {
        for (var i = 1; i < 250; i++) Call(2, $"198.51.100.{i}").ForEach(peer => peer.Reset());
        _stage.Run();
        Assert.Equal(0, Addresses(_stage));
        _stage.AssertNothingLeft();
    }

    [Fact]
    public void Zero_means_any_number()
    {
        using var stage = Of(0);
        for (var i = 0; i < 100; i++) stage.CallRaw();
        stage.Run();
        Assert.Empty(stage.Metrics.Closed);
        Assert.Equal(0, Addresses(stage));
    }

    [Fact]
    public void Networks_that_differ_are_different()
    {
        Assert.NotEqual(ClientNetwork.Of(IPAddress.Parse("1.2.3.4")), ClientNetwork.Of(IPAddress.Parse("::1.2.3.4")));
        Assert.NotEqual(ClientNetwork.Of(IPAddress.Any), default);
        Assert.False(default(ClientNetwork).IsKnown);
    }

    private static int Addresses(Stage stage) => stage.Services.Context.Addresses.Addresses;

    private static Stage Of(int most) =>
        new(change: settings => settings with { Limits = new LimitSettings { UnauthenticatedPerAddress = most } });

    private List<MemoryPeer> Call(int count, string address)
    {
        _stage.Loop.RemoteOfClients = new IPEndPoint(IPAddress.Parse(address), 50000);
        var peers = Enumerable.Range(0, count).Select(_ => _stage.CallRaw()).ToList();
        _stage.Run();
        return peers;
    }
}
