using Microsoft.Extensions.Logging;
using Portico.Core.Options;
using Portico.Core.Tests.Staging;
using Portico.Core.Users;
using Portico.Protocol;
using Portico.TestKit.Diagnostics;
using Xunit;

namespace Portico.Core.Tests.Handshake;

/// <summary>
/// An app that speaks the wrong transport inside fake TLS never connects, and its user does not know why: the operator must be able to
/// tell without debug lines.
/// </summary>
public sealed class WrongTransportTests : IDisposable
{
    private readonly Stage _stage = new(ClientProtocols.FakeTls | ClientProtocols.Secure | ClientProtocols.Classic, change: NameAlice);

    public void Dispose()
    {
        _stage.AssertNoFault();
        _stage.Dispose();
    }

    [Theory]
    [InlineData(Transport.Abridged, "abridged")]
    [InlineData(Transport.Intermediate, "intermediate")]
    public void Fifty_clients_of_a_minute_are_one_line_and_the_next_one_tells_how_many_had_none(Transport transport, string name)
    {
        for (var i = 0; i < 50; i++) Come(new ClientTraits { Transport = transport });
        var line = Assert.Single(Lines());
        Assert.Equal(LogLevel.Information, line.Level);
        Assert.Contains($"user alice on main was closed: inside fake TLS it speaks {name} where", line.Text, StringComparison.Ordinal);
        Assert.Contains("Left out before this: 0", line.Text, StringComparison.Ordinal);

        _stage.Advance(59);
        Come(new ClientTraits { Transport = transport });
        _stage.Advance(0.9);
        Assert.Single(Lines());

        _stage.Advance(0.2);
        Come(new ClientTraits { Transport = transport });
        Assert.Equal(2, Lines().Length);
        Assert.Contains("Left out before this: 50", Lines()[1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Neither_the_right_transport_nor_the_same_outside_fake_TLS_nor_a_header_of_nobodys_has_a_line()
    {
        _stage.Relay();
        _stage.Relay(new ClientTraits { IsTls = false, Transport = Transport.Abridged });
        Come(new ClientTraits { Tag = 0x12345678 });
        Assert.Equal(1, _stage.Metrics.Sum("portico.protocol.error", "reason", "unknown_protocol"));
        Assert.Empty(Lines());
    }

    private static ProxySettings NameAlice(ProxySettings settings) =>
        settings with { Listeners = [settings.Listeners[0] with { Credentials = [new Credential("alice", Stage.Secret)] }] };

    private void Come(ClientTraits traits)
    {
        var client = _stage.Call(traits);
        client.Peer.Send(client.Hello);
        _stage.Run();
        Assert.True(client.HasFlight);
        client.Peer.Send(client.Header);
        client.Peer.Finish();
        _stage.Run();
    }

    // At most one of them in a second of the stage's clock is let through by the logging itself: by the minute is the class's own work.
    private LogLine[] Lines() => [.. _stage.Log.Lines.Where(line => line.EventName == "WrongTransport")];
}
