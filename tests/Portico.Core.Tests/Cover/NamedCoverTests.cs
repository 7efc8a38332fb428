using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Portico.Core.Options;
using Portico.Core.Tests.Handshake;
using Portico.Core.Tests.Staging;
using Portico.TestKit.Memory;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Cover;

/// <summary>The mode sni: strangers see the site that their hello names, if that is anybody's business.</summary>
public sealed class NamedCoverTests : IDisposable
{
    private static readonly IPAddress Public = IPAddress.Parse("8.8.4.4");

    private readonly ConcurrentDictionary<string, IPAddress[]> _names = new() { ["example.com"] = [Public] };
    private readonly List<string> _asked = [];
    private readonly Stage _stage;

    public NamedCoverTests() => _stage = Start();

    public void Dispose()
    {
        _stage.AssertNoFault();
        _stage.Stop();
        _stage.AssertNothingLeft();
        _stage.Dispose();
    }

    [Fact]
    public void A_stranger_is_at_the_site_that_its_hello_names()
    {
        var (client, connect) = Visit(_stage, "example.com"u8);
        Assert.Equal(new IPEndPoint(Public, 443), connect!.Address);
        Assert.Equal(client.Sent, connect.Peer.Take());
        connect.Peer.Send([1]);
        _stage.Run();
        Assert.Equal([1], client.Peer.Take());
        Assert.Equal(1, _stage.Metrics.Sum("portico.cover", "result", "ok"));
        Visit(_stage, "EXAMPLE.com"u8);
        Assert.Equal(["example.com"], _asked); // remembered, whatever its case
    }

    [Theory]
    [MemberData(nameof(HelloVector.Names), MemberType = typeof(HelloVector))]
    public void Hellos_of_the_vectors_are_at_the_site_they_name_and_see_what_there_is_without_a_cover_if_they_name_none(string name)
    {
        var vector = HelloVector.Named(name);
        if (vector.Outcome is "accept" or "need_more") return;
        using var stage = new Stage(change: WithNames(), resolve: _ => Task.FromResult<IPAddress[]>([Public]));
        var peer = stage.CallRaw();
        peer.Send(vector.Input);
        stage.Run();
        if (stage.Loop.Connects.Count > 0)
        {
            Assert.Equal(vector.Input, stage.Loop.Connects.Single().Peer.Take());
            Assert.Empty(peer.Take());
            return;
        }

        var isWhole = peer.End != PeerEnd.None;
        // refused by its beginning, and the name may be in what is still to come
        if (!isWhole) stage.Advance(11);
        Assert.Equal(isWhole ? 1 : 0, stage.Metrics.Sum("portico.cover", "result", "no_sni"));
        Assert.Equal(PeerEnd.Fin, peer.End);
        Assert.Equal(isWhole && vector.Outcome == "alert_close" ? "15030300020232" : "", Convert.ToHexStringLower(peer.Take()));
        stage.AssertNoFault();
    }

    [Fact]
    public void A_short_hello_in_pieces_is_waited_for_until_its_name_is_there()
    {
        var hello = ShortHello("example.com"u8);
        var peer = _stage.CallRaw();
        peer.Send(hello.AsSpan(0, 20)); // long enough to be no hello of ours
        _stage.Advance(5);
        Assert.Equal(1, _stage.Metrics.Sum("portico.protocol.error", "reason", "tls_client_hello_too_short"));
        Assert.Equal(PeerEnd.None, peer.End);
        peer.Send(hello.AsSpan(20));
        _stage.Run();
        Assert.Equal(hello, _stage.Loop.Connects.Single().Peer.Take());
    }

    [Fact]
    public void A_hello_that_never_becomes_whole_ends_at_the_handshake_deadline()
    {
        var peer = _stage.CallRaw();
        peer.Send(ShortHello("example.com"u8).AsSpan(0, 20));
        _stage.Advance(9.9);
        Assert.Equal(PeerEnd.None, peer.End);
        _stage.Advance(0.2);
        Assert.Equal(PeerEnd.Fin, peer.End);
        _stage.AssertClosed("handshake_timeout (client)");
    }

    [Fact]
    public void A_hello_without_a_name_gets_the_alert_and_other_bytes_nothing()
    {
        var nameless = _stage.CallRaw();
        nameless.Send(HelloVector.Named("sni_empty_extension").Input);
        var stranger = _stage.CallRaw();
        stranger.Send(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\n\r\n"));
        _stage.Run();
        Assert.Equal("15030300020232", Convert.ToHexStringLower(nameless.Take()));
        Assert.Empty(stranger.Take());
        Assert.Equal((PeerEnd.Fin, PeerEnd.Fin), (nameless.End, stranger.End));
        Assert.Empty(_stage.Loop.Connects);
        Assert.Equal(2, _stage.Metrics.Sum("portico.cover", "result", "no_sni"));
    }

    [Theory]
    [InlineData("192.0.2.1")]
    [InlineData("two words")]
    [InlineData("a_b.example")]
    [InlineData("-x.example")]
    public void Something_that_is_no_host_name_is_no_name(string name)
    {
        var (client, connect) = Visit(_stage, Encoding.ASCII.GetBytes(name));
        Assert.Null(connect);
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        Assert.Empty(_asked);
        Assert.Equal(1, _stage.Metrics.Sum("portico.cover", "result", "no_sni"));
    }

    [Theory]
    [InlineData("10.0.0.1")]
    [InlineData("127.0.0.1")]
    [InlineData("169.254.1.1")]
    [InlineData("::1")]
    [InlineData("fe80::1")]
    [InlineData("::ffff:192.168.1.1")]
    public void A_name_that_leads_inside_is_refused_unless_the_operator_allows_it(string address)
    {
        _names["inside.example"] = [IPAddress.Parse(address)];
        var (client, connect) = Visit(_stage, "inside.example"u8);
        Assert.Null(connect);
        Assert.Empty(client.Peer.Take());
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        Assert.Equal(1, _stage.Metrics.Sum("portico.cover", "result", "policy"));

        using var stage = Start(cover => cover with { AllowPrivateTargets = true });
        Assert.NotNull(Visit(stage, "inside.example"u8).Connect);
    }

    [Fact]
    public void Of_several_addresses_only_the_public_ones_are_tried()
    {
        _names["mixed.example"] = [IPAddress.Parse("10.0.0.1"), Public];
        Assert.Equal(new IPEndPoint(Public, 443), Visit(_stage, "mixed.example"u8).Connect!.Address);
        Assert.Single(_stage.Loop.Connects);
    }

    [Fact]
    public void A_name_that_leads_to_ourselves_is_refused()
    {
        _names["self.example"] = [IPAddress.Loopback];
        using var stage = new Stage(
            change: settings => WithNames(cover => cover with { AllowPrivateTargets = true })(settings) with
            {
                Listeners = [settings.Listeners[0] with { Address = new IPEndPoint(IPAddress.IPv6Any, 443) }],
            },
            resolve: Resolve);
        var (client, connect) = Visit(stage, "self.example"u8);
        Assert.Null(connect);
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        Assert.Equal(1, stage.Metrics.Sum("portico.cover", "result", "loop"));
        stage.AssertNoFault();
    }

    [Fact]
    public void A_name_that_nobody_knows_costs_the_connection_and_alarms_nobody()
    {
        var (client, connect) = Visit(_stage, "unknown.example"u8);
        Assert.Null(connect);
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        Assert.Equal(1, _stage.Metrics.Sum("portico.cover", "result", "connect_error"));
        Assert.DoesNotContain(_stage.Log.Lines, line => line.EventName == "CoverUnreachable");
        client.Peer.Finish();
        _stage.Run();
        Assert.Equal("cover_connect_failed (cover)", _stage.Metrics.Closed.Last());
    }

    [Fact]
    public void A_resolver_that_does_not_answer_costs_the_connection_after_ten_seconds_and_its_late_answer_nothing()
    {
        var answer = new TaskCompletionSource<IPAddress[]>();
        using var stage = new Stage(change: WithNames(), resolve: _ => answer.Task);
        var (client, _) = Visit(stage, "example.com"u8);
        stage.Advance(9.9);
        Assert.Equal(PeerEnd.None, client.Peer.End);
        stage.Advance(0.2);
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        client.Peer.Finish();
        stage.Run();
        stage.AssertClosed("cover_connect_timeout (cover)");
        answer.SetResult([Public]);
        stage.Run();
        Assert.Empty(stage.Loop.Connects);
        stage.AssertNoFault();
    }

    [Fact]
    public void Somebody_nobody_can_tell_has_named_no_site_and_ends_at_the_handshake_deadline()
    {
        var client = _stage.Call();
        client.Peer.Send(client.Hello.AsSpan(0, 100));
        _stage.Advance(9.9);
        Assert.Empty(_stage.Loop.Connects);
        Assert.Equal(PeerEnd.None, client.Peer.End);
        _stage.Advance(0.2);
        _stage.AssertClosed("handshake_timeout (client)");
    }

    private static Func<ProxySettings, ProxySettings> WithNames(Func<CoverSettings, CoverSettings>? change = null)
    {
        var cover = new CoverSettings { Mode = CoverMode.Sni };
        return settings => settings with { Cover = change?.Invoke(cover) ?? cover };
    }

    private static (Visitor Client, MemoryConnect? Connect) Visit(Stage stage, ReadOnlySpan<byte> name)
    {
        var before = stage.Loop.Connects.Count;
        var visitor = new Visitor(stage.CallRaw(), ShortHello(name));
        visitor.Peer.Send(visitor.Sent);
        stage.Run();
        return (visitor, stage.Loop.Connects.Skip(before).FirstOrDefault());
    }

    // As curl's: no padding, so it is shorter than any hello of ours.
    private static byte[] ShortHello(ReadOnlySpan<byte> name)
    {
        byte[] entry = [0, (byte)(name.Length >> 8), (byte)name.Length, .. name];
        byte[] extension = [0, 0, 0, (byte)(entry.Length + 2), 0, (byte)entry.Length, .. entry];
        byte[] body = [3, 3, .. new byte[32], 0, 0, 2, 0x13, 0x01, 1, 0, 0, (byte)extension.Length, .. extension];
        byte[] message = [1, 0, 0, (byte)body.Length, .. body];
        return [0x16, 3, 1, 0, (byte)message.Length, .. message];
    }

    private Stage Start(Func<CoverSettings, CoverSettings>? change = null) => new(change: WithNames(change), resolve: Resolve);

    private Task<IPAddress[]> Resolve(string name)
    {
        _asked.Add(name);
        return _names.TryGetValue(name, out var addresses)
            ? Task.FromResult(addresses)
            : Task.FromException<IPAddress[]>(new SocketException((int)SocketError.HostNotFound));
    }

    private sealed record Visitor(MemoryPeer Peer, byte[] Sent);
}
