using Portico.Core.Tests.Staging;
using Xunit;

namespace Portico.Core.Tests.Backends.MiddleProxy;

/// <summary>Links that are written in the same turn are encrypted together, and each middle proxy reads its own chain.</summary>
public class LockStepTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(9)]
    public void Packets_for_several_links_in_one_turn_arrive_on_each_link_as_they_were_sent(int clients)
    {
        using var stage = new MiddleStage(change: settings => settings with { Middle = settings.Middle with { ClientsPerConnection = 1 } });
        stage.OnLink = link => link.OnRequest = (_, request) => link.Answer(request.Id, request.Packet);
        var all = new List<MiddleClient>();
        for (var i = 0; i < clients; i++)
        {
            all.Add(stage.Introduce(new ClientTraits { Transport = (Portico.Protocol.Transport)(i % 3), IsTls = i % 3 == 2 }).Client);
            stage.Advance(0.3); // more links come about
        }

        var sent = new List<List<byte[]>>(all.Select(_ => new List<byte[]>()));
        for (var round = 0; round < 4; round++)
        {
            for (var i = 0; i < clients; i++)
            {
                var packet = new byte[4 * (2 + (((i * 7) + (round * 61)) % 19 * 25))];
                packet.AsSpan().Fill((byte)((16 * round) + i + 1));
                sent[i].Add(packet);
                all[i].Send(packet);
            }

            stage.Run();
        }

        if (clients > 2)
            Assert.InRange(stage.OpenLinks.Count(link => link.Requests.Count > 0), 2, int.MaxValue);
        // a padded packet has up to 3 bytes more
        for (var i = 0; i < clients; i++)
            Assert.Equal(sent[i], all[i].Packets.Skip(1).Select((packet, round) => packet[..sent[i][round].Length]));
        stage.Stage.AssertNoFault();
    }
}
