using System.Buffers.Binary;
using Portico.Core.Options;
using Portico.Core.Tests.Staging;
using Portico.Core.Users;
using Portico.Protocol.Secrets;
using Portico.TestKit.Memory;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Clients;

/// <summary>
/// A limit that is over while bytes of the client's are unread: closing there and then would be RST, and no TLS server's.
/// </summary>
public sealed class DeadlineEndTests
{
    private static readonly byte[] EmptyRecord = [0x17, 3, 3, 0, 0];

    [Fact]
    public void Records_without_payload_that_never_stop_end_with_fin_when_the_header_is_overdue()
    {
        using var stage = new Stage();
        var client = stage.Call();
        client.Peer.Send(client.Hello);
        stage.Run();
        Assert.True(client.HasFlight);
        Flood(stage, client.Peer, 61);
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        client.Peer.Finish();
        stage.Run();
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        stage.AssertClosed("header_timeout (client)");
        stage.AssertNoFault();
    }

    [Fact]
    public void A_stranger_whose_bytes_are_still_being_judged_at_the_deadline_sees_fin()
    {
        using var stage = WithManySecrets(ResetOnClose.Off);
        var client = stage.Call(new ClientTraits { Secret = Stage.WrongSecret });
        client.Peer.Send(client.Hello);
        Flood(stage, client.Peer, 11);
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        Assert.Empty(client.Peer.Take());
        client.Peer.Finish();
        stage.Run();
        stage.AssertClosed("handshake_timeout (client)");
        stage.AssertNoFault();
    }

    [Fact]
    public void Where_the_operator_wants_resets_it_is_one()
    {
        using var stage = WithManySecrets(ResetOnClose.HandshakeError);
        var client = stage.Call(new ClientTraits { Secret = Stage.WrongSecret });
        client.Peer.Send(client.Hello);
        Flood(stage, client.Peer, 11);
        Assert.Equal(PeerEnd.Reset, client.Peer.End);
        stage.AssertClosed("handshake_timeout (client)");
    }

    // More than is read in one turn, and the deadline passes in that turn.
    private static void Flood(Stage stage, MemoryPeer peer, int seconds)
    {
        peer.Send(Enumerable.Repeat(EmptyRecord, 100_000).SelectMany(record => record).ToArray());
        stage.Time.Advance(TimeSpan.FromSeconds(seconds));
        stage.Run();
    }

    private static Stage WithManySecrets(ResetOnClose mode) => new(change: settings => settings with
    {
        ResetOnClose = mode,
        Listeners = [settings.Listeners[0] with
        {
            Credentials = [.. Enumerable.Range(0, 1000).Select(i => new Credential($"user{i}", SecretOf(i)))],
        }],
    });

    private static ProxySecret SecretOf(int number)
    {
        var key = new byte[ProxySecret.Length];
        BinaryPrimitives.WriteInt32BigEndian(key, number);
        return ProxySecret.Create(key);
    }
}
