using System.Security.Cryptography;
using Portico.Core.Options;
using Portico.Core.Tests.Staging;
using Portico.Protocol;
using Portico.Protocol.FakeTls;
using Portico.TestKit.Telegram;
using Xunit;

namespace Portico.Core.Tests.Backends.Direct;

/// <summary>Bytes come out at the other end as they went in, whatever way they were cut.</summary>
public sealed class EchoTests : IDisposable
{
    private readonly Stage _stage = new(ClientProtocols.FakeTls | ClientProtocols.Secure | ClientProtocols.Classic);

    public void Dispose()
    {
        _stage.AssertNoFault();
        _stage.Dispose();
    }

    [Theory]
    [InlineData(true, Transport.Padded)]
    [InlineData(false, Transport.Padded)]
    [InlineData(false, Transport.Intermediate)]
    [InlineData(false, Transport.Abridged)]
    public void Hello_header_and_first_packet_may_be_cut_anywhere(bool isTls, Transport transport)
    {
        var traits = new ClientTraits { IsTls = isTls, Transport = transport };
        for (var cut = 0; ; cut++)
        {
            var client = _stage.Call(traits);
            byte[] all = [.. client.Hello, .. client.Header, .. client.Encode("first packet"u8)];
            client.Peer.Send(all.AsSpan(0, cut));
            _stage.Run();
            client.Peer.Send(all.AsSpan(cut));
            _stage.Run();
            var dc = _stage.LatestDc();
            Assert.Equal((ObfuscatedEnd.Tag(transport), (short)2), (dc.Tag, dc.DcId));
            Echo(client, dc, "first packet"u8);
            client.Peer.Finish();
            dc.Peer.Finish();
            _stage.Run();
            if (cut == all.Length) break;
        }

        Assert.All(_stage.Metrics.Closed, closed => Assert.Equal("client_closed (client)", closed));
        _stage.AssertNothingLeft();
    }

    [Theory]
    [InlineData(ClientHelloShape.Classic517)]
    [InlineData(ClientHelloShape.PostQuantum)]
    public void Every_byte_may_come_alone(ClientHelloShape shape)
    {
        var client = _stage.Call(new ClientTraits { Shape = shape });
        foreach (var value in (byte[])[.. client.Hello, .. client.Header, .. client.Encode("alone"u8)])
        {
            client.Peer.Send([value]);
            _stage.Run();
        }

        Echo(client, _stage.LatestDc(), "alone"u8);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    [InlineData(16384)]
    [InlineData(60_000)]
    public void What_comes_with_the_header_reaches_the_dc_first_and_in_order(int length)
    {
        var early = RandomNumberGenerator.GetBytes(length);
        foreach (var isTls in new[] { true, false })
        {
            var client = _stage.Call(new ClientTraits { IsTls = isTls });
            if (isTls)
            {
                client.Peer.Send(client.Hello);
                _stage.Run();
            }

            client.Peer.Send([.. client.Header, .. client.Encode(early)]);
            client.Say("later"u8);
            _stage.Run();
            Echo(client, _stage.LatestDc(), [.. early, .. "later"u8]);
        }
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void Megabytes_go_both_ways_at_once(bool isTls, bool passThrough)
    {
        using var stage = new Stage(
            ClientProtocols.FakeTls | ClientProtocols.Secure,
            change: settings => settings with { Direct = settings.Direct with { PassThrough = passThrough } });
        var (client, dc) = stage.Relay(new ClientTraits { IsTls = isTls });
        var (up, down) = (new byte[1_500_007], new byte[2_000_003]);
        TestPattern.Fill(up, 1);
        TestPattern.Fill(down, 2);
        client.Say(up);
        dc.Say(down);
        stage.Run();
        Assert.True(dc.Text.AsSpan().SequenceEqual(up));
        Assert.True(client.Text.AsSpan().SequenceEqual(down));
        client.Peer.Finish();
        dc.Peer.Finish();
        stage.Run();
        stage.AssertClosed("client_closed (client)");
        stage.AssertNoFault();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_flood_that_is_there_at_once_is_read_to_its_end_without_another_event_and_others_are_served_meanwhile(bool fromClient)
    {
        var (client, dc) = _stage.Relay();
        var (neighbour, neighboursDc) = _stage.Relay();
        var flooded = fromClient ? client.Peer : dc.Peer;
        flooded.ToProxy.Capacity = 4_000_000;
        var served = false;
        _stage.Loop.BetweenSteps = () => served |= flooded.Unread > 1_000_000 && neighboursDc.Text.Length > 0;
        var flood = new byte[3_000_000];
        TestPattern.Fill(flood, 5);
        if (fromClient) client.Say(flood);
        else dc.Say(flood);
        neighbour.Say("me too"u8);
        _stage.Run();
        Assert.True((fromClient ? dc.Text : client.Text).AsSpan().SequenceEqual(flood));
        Assert.True(served, "the neighbour waited for the end of the flood");
    }

    [Fact]
    public void With_pass_through_the_dc_speaks_the_clients_own_cipher_and_without_it_the_bytes_differ()
    {
        foreach (var passThrough in new[] { true, false })
        {
            using var stage = new Stage(change: settings => settings with { Direct = settings.Direct with { PassThrough = passThrough } });
            var (client, dc) = stage.Relay();
            var wire = RandomNumberGenerator.GetBytes(100);
            dc.Peer.Send(wire);
            stage.Run();
            Assert.Equal(passThrough, client.Payload.AsSpan().SequenceEqual(wire));
        }
    }

    [Fact]
    public void Records_to_the_client_carry_at_most_8192_bytes_and_what_encryption_adds()
    {
        var (client, dc) = _stage.Relay();
        dc.Say(new byte[300_000]);
        _stage.Run();
        var wire = client.Peer.Take();
        var payload = 0;
        for (var at = 0; at < wire.Length;)
        {
            Assert.Equal([0x17, 3, 3], wire[at..(at + 3)]);
            var length = (wire[at + 3] << 8) | wire[at + 4];
            Assert.InRange(length, 1, 8192 + 17);
            payload += length;
            at += 5 + length;
        }

        Assert.Equal(300_000, payload);
    }

    private void Echo(StageClient client, StageDc dc, ReadOnlySpan<byte> said)
    {
        Assert.True(dc.Text.AsSpan().SequenceEqual(said));
        dc.Say(said);
        _stage.Run();
        Assert.True(client.Text.AsSpan().SequenceEqual(said));
    }
}
