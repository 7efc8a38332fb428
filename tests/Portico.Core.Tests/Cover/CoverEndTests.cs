using System.Net;
using Portico.Core.Options;
using Portico.Core.Tests.Staging;
using Portico.TestKit.Memory;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Cover;

/// <summary>Whatever ends somebody on the way to the cover or at it: nothing is left of it, and nothing is given back twice.</summary>
public sealed class CoverEndTests
{
    private static readonly string[] Phases = ["undecided", "connecting", "trying", "to the cover", "to the stranger", "sent away"];

    private static readonly string[] Ends = ["stop", "address", "budget", "reset", "cover reset", "fault"];

    public static TheoryData<string, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, string>();
            foreach (var phase in Phases)
            {
                foreach (var end in Ends) cases.Add(phase, end);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Nothing_is_left_of_a_stranger(string phase, string end)
    {
        using var stage = new Stage(change: settings => Stage.WithCover(cover => cover with { MaxConnections = 1 })(settings) with
        {
            Limits = new LimitSettings { UnauthenticatedPerAddress = 1 },
            Listeners = [settings.Listeners[0] with
            {
                Credentials = [.. Enumerable.Repeat(settings.Listeners[0].Credentials[0], phase == "trying" ? 2000 : 1)],
            }],
        });
        if (phase == "connecting") stage.Loop.Answer(Stage.CoverAddress, ConnectAnswer.Silence);
        if (phase == "to the cover")
            stage.Loop.Connected = connect => connect.Peer.ToPeer.Capacity = 100;
        var client = stage.Call(new ClientTraits { Secret = Stage.WrongSecret });
        Reach(stage, client, phase);

        var seen = stage.Covers.ToList();
        stage.Loop.RemoteOfClients = new IPEndPoint(IPAddress.Parse(end == "address" ? "192.0.2.1" : "198.51.100.7"), 50001);
        switch (end)
        {
            case "address":
            case "budget":
                stage.CallRaw().Send([0x20]);
                break;
            case "reset":
                client.Peer.Reset();
                break;
            case "cover reset":
                seen[0].Reset();
                break;
            case "fault":
                client.Peer.NextReadThrows = new TimeZoneNotFoundException();
                client.Peer.Send([1]);
                break;
        }

        if (end != "stop") stage.Run();
        Assert.InRange(stage.Proxy.Services.Cover.Budget.Count, 0, 1);
        stage.Stop();
        stage.AssertNothingLeft();
        Assert.True(client.Peer.IsReleased);
        Assert.All(seen, peer => Assert.True(peer.IsReleased));
        Assert.Equal(1 + (phase == "sent away" ? 1 : 0) + (end is "address" or "budget" ? 1 : 0), stage.Metrics.Closed.Count());
        Assert.Equal(0, stage.Metrics.Observe("portico.connections", "state", "cover"));
    }

    private static void Reach(Stage stage, StageClient client, string phase)
    {
        switch (phase)
        {
            case "undecided":
                client.Peer.Send(client.Hello.AsSpan(0, 100));
                stage.Advance(1);
                break;
            case "trying":
                client.Peer.Send(client.Hello.AsSpan(0, 100));
                stage.Advance(1);
                client.Peer.Send(client.Hello.AsSpan(100)); // judged while the end comes
                break;
            case "to the stranger":
                client.Peer.ReadsAtOnce = false;
                client.Peer.Send([0x20]);
                stage.Run();
                stage.Covers.Single().Send(new byte[300_000]);
                stage.Run();
                break;
            case "sent away":
                client.Peer.Send([0x20]);
                stage.Run();
                stage.Loop.RemoteOfClients = new IPEndPoint(IPAddress.Parse("198.51.100.1"), 50001);
                stage.CallRaw().Send([0x20]);
                stage.Run();
                Assert.Equal(PeerEnd.Fin, client.Peer.End);
                break;
            default:
                client.Peer.Send(Enumerable.Repeat((byte)0x20, 20_000).ToArray());
                stage.Run();
                break;
        }
    }
}
