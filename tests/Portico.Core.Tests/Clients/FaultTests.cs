using Portico.Core.Tests.Staging;
using Portico.TestKit.Memory;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Clients;

/// <summary>A bug of ours in one session: it ends, the operator hears of it, and nobody else does.</summary>
public sealed class FaultTests : IDisposable
{
    private readonly Stage _stage = new();
    private readonly StageClient _bystander;
    private readonly StageDc _bystandersDc;

    public FaultTests() => (_bystander, _bystandersDc) = _stage.Relay();

    public void Dispose() => _stage.Dispose();

    [Fact]
    public void In_the_first_read_of_a_caller()
    {
        var client = _stage.Call();
        client.Peer.NextReadThrows = new TimeZoneNotFoundException();
        client.Peer.Send(client.Hello);
        AssertOnlyThisSessionEnded(client.Peer);
    }

    [Fact]
    public void In_the_read_of_a_header()
    {
        var client = _stage.Call();
        client.Peer.Send(client.Hello);
        _stage.Run();
        client.Peer.NextReadThrows = new TimeZoneNotFoundException();
        client.Peer.Send(client.Header);
        AssertOnlyThisSessionEnded(client.Peer);
    }

    [Fact]
    public void In_the_first_read_of_the_relay()
    {
        _stage.Loop.Answer(Stage.FirstAddress, ConnectAnswer.Silence);
        var client = _stage.Call();
        client.Peer.Send([.. client.Hello, .. client.Header]);
        _stage.Run();
        client.Say("hello"u8);
        _stage.Run();
        client.Peer.NextReadThrows = new TimeZoneNotFoundException();
        _stage.Loop.Connects[^1].Succeed();
        AssertOnlyThisSessionEnded(client.Peer);
    }

    [Fact]
    public void In_a_read_from_the_dc_when_the_relay_begins()
    {
        _stage.Loop.Connected = connect =>
        {
            connect.Peer.Send([1, 2, 3]);
            connect.Peer.NextReadThrows = new TimeZoneNotFoundException();
        };
        var client = _stage.Call();
        client.Peer.Send([.. client.Hello, .. client.Header]);
        AssertOnlyThisSessionEnded(client.Peer);
    }

    [Fact]
    public void In_a_read_from_the_client_while_relaying()
    {
        var (client, _) = _stage.Relay();
        client.Peer.NextReadThrows = new TimeZoneNotFoundException();
        client.Say("hello"u8);
        AssertOnlyThisSessionEnded(client.Peer);
    }

    [Fact]
    public void In_a_read_from_the_dc_with_output_pending()
    {
        var (client, dc) = _stage.Relay();
        dc.Peer.ReadsAtOnce = false;
        dc.Peer.ToPeer.Capacity = 100;
        client.Say(new byte[5000]);
        _stage.Run();
        dc.Peer.NextReadThrows = new TimeZoneNotFoundException();
        dc.Peer.Send([1]);
        AssertOnlyThisSessionEnded(client.Peer);
    }

    [Fact]
    public void While_a_stranger_is_seen_off()
    {
        var peer = _stage.CallRaw();
        peer.Send("GET / HTTP/1.1\r\n\r\n"u8);
        _stage.Run();
        peer.NextReadThrows = new TimeZoneNotFoundException();
        peer.Send([1]);
        AssertOnlyThisSessionEnded(peer);
    }

    private void AssertOnlyThisSessionEnded(MemoryPeer peer)
    {
        _stage.Run();
        Assert.True(peer.IsReleased);
        Assert.NotEqual(PeerEnd.None, peer.End);
        Assert.Equal(["internal_error (proxy)"], _stage.Metrics.Closed);
        Assert.Single(_stage.Log.Errors, line => line.EventName == "SessionFaulted");
        Assert.Equal(1, _stage.Proxy.SessionCount);
        Assert.Equal(1, _stage.Listener.Limit.Count);
        Assert.Equal(2, _stage.Loop.Slots.Count);
        Assert.Equal(0, _stage.Loop.Buffers.Rented);
        _bystander.Say("still here"u8);
        _stage.Run();
        Assert.Equal("still here"u8.ToArray(), _bystandersDc.Text);
    }
}
