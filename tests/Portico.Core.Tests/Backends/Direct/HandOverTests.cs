using System.Security.Cryptography;
using Portico.Core.Options;
using Portico.Core.Tests.Staging;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Backends.Direct;

/// <summary>Whatever arrives between any two steps of a session, from accept to relay and on, is neither lost nor waited for.</summary>
public class HandOverTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void No_weather_loses_a_byte_or_a_wake_up(int part)
    {
        // ./check --slow looks at a hundred times as many.
        var seeds = Environment.GetEnvironmentVariable("PORTICO_SLOW") is null ? 100 : 10_000;
        for (var seed = part * seeds; seed < (part + 1) * seeds; seed++)
        {
            try
            {
                Survive(seed);
            }
            catch (Exception error)
            {
                throw new InvalidOperationException($"seed {seed}", error);
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_arrives_at_any_step_of_a_session_is_relayed(bool isTls)
    {
        foreach (var fromClient in new[] { true, false })
        {
            AtEveryStep(isTls, (_, client, dc) =>
            {
                if (fromClient) client.Say("late"u8);
                else dc?.Peer.Send("late"u8);
                return dc is not null || fromClient;
            }, (stage, client, dc) =>
            {
                stage.AssertOpen();
                Assert.Equal(fromClient ? "question late"u8.ToArray() : "question "u8.ToArray(), dc!.Text);
                Assert.Equal(fromClient ? "welcome "u8.ToArray() : "welcome late"u8.ToArray(), client.Payload);
            });
        }
    }

    [Theory]
    [InlineData(true, true, true)]
    [InlineData(true, true, false)]
    [InlineData(true, false, true)]
    [InlineData(true, false, false)]
    [InlineData(false, true, true)]
    [InlineData(false, true, false)]
    [InlineData(false, false, true)]
    [InlineData(false, false, false)]
    public void An_end_of_either_side_at_any_step_of_a_session_leaves_nothing(bool isTls, bool ofClient, bool isReset) =>
        AtEveryStep(isTls, (_, client, dc) =>
        {
            var peer = ofClient ? client.Peer : dc?.Peer;
            if (isReset) peer?.Reset();
            else peer?.Finish();
            return peer is not null;
        }, (stage, client, dc) =>
        {
            var reason = (ofClient, isReset) switch
            {
                (true, true) => "client_reset (client)",
                (true, false) => "client_closed (client)",
                (false, true) => "dc_reset (telegram)",
                (false, false) => "dc_closed (telegram)",
            };
            // the farewell of one side and the wait for the client's FIN
            if (!isReset || !ofClient) stage.Advance(16);

            // A DC that resets before its connection was used is an attempt that failed; the next address gets the client.
            if (!ofClient && isReset && stage.Loop.Connects.Count > 1)
            {
                stage.AssertOpen();
                return;
            }

            stage.AssertClosed(reason);
        });

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Many_sessions_at_once_in_rough_weather_keep_apart(int seed)
    {
        var random = new Random(seed);
        using var stage = new Stage(ClientProtocols.FakeTls | ClientProtocols.Secure, seed);
        var clients = new List<StageClient>();
        for (var i = 0; i < 60; i++)
        {
            var client = stage.Call(new ClientTraits { IsTls = random.Next(3) > 0 });
            clients.Add(client);
            client.Peer.Send([.. client.Hello, .. client.Header]);
            client.Say([(byte)i, .. new byte[random.Next(3000)]]);
            if (random.Next(10) == 0) stage.Run();
        }

        stage.Run();
        var met = new HashSet<int>();
        foreach (var dc in stage.Loop.Connects.Select(connect => new StageDc(connect.Peer)))
        {
            var number = dc.Text[0];
            Assert.True(met.Add(number), "two DCs heard the same client");
            dc.Say([number, .. new byte[random.Next(100_000)]]);
        }

        stage.Run();
        Assert.Equal(60, met.Count);
        for (var i = 0; i < 60; i++)
        {
            Assert.Equal(i, clients[i].Text[0]);
            if (random.Next(2) == 0) clients[i].Peer.Reset();
            else clients[i].Peer.Finish();
        }

        stage.Advance(11);
        Assert.Equal(60, stage.Metrics.Closed.Count());
        stage.AssertNothingLeft();
        stage.AssertNoFault();
    }

    // In calm weather the steps of a session are always the same: as many runs as steps, with something happening at another one each time.
    private static void AtEveryStep(
        bool isTls, Func<Stage, StageClient, StageDc?, bool> happens, Action<Stage, StageClient, StageDc?> assert)
    {
        var last = false;
        for (var at = 1; !last; at++)
        {
            using var stage = new Stage(ClientProtocols.FakeTls | ClientProtocols.Secure);
            stage.Loop.Connected = connect =>
            {
                if (stage.Loop.Connects.Count == 1) connect.Peer.Send("welcome "u8);
            };
            var client = stage.Call(new ClientTraits { IsTls = isTls });
            client.Peer.Send([.. client.Hello, .. client.Header, .. client.Encode("question "u8)]);
            StageDc? dc = null;
            var (steps, happened) = (0, false);
            stage.Loop.BetweenSteps = () =>
            {
                if (stage.Loop.Connects.Count > 0) dc ??= new StageDc(stage.Loop.Connects[0].Peer);
                if (++steps >= at && !happened) happened = happens(stage, client, dc);
            };
            stage.Run();
            stage.Loop.BetweenSteps = null;
            last = steps < at;
            if (last) return;
            assert(stage, client, dc);
            stage.AssertNoFault();
        }
    }

    private static void Survive(int seed)
    {
        var random = new Random(seed);
        using var stage = new Stage(ClientProtocols.FakeTls | ClientProtocols.Secure, seed);
        var (welcome, question, answer) = (Bytes(random), Bytes(random), Bytes(random));
        stage.Loop.Connected = connect =>
        {
            connect.Peer.ToPeer.Capacity = Capacity(random);
            connect.Peer.ToProxy.Capacity = Capacity(random);
            connect.Peer.Send(welcome);
        };
        var client = stage.Call(new ClientTraits { IsTls = random.Next(3) > 0 });
        client.Peer.ToPeer.Capacity = Capacity(random);
        client.Peer.ToProxy.Capacity = Capacity(random);

        // A patient client waits for the flight, an eager one sends everything at once.
        client.Peer.Send(client.Hello);
        if (random.Next(2) == 0) stage.Run();
        client.Peer.Send(client.Header);
        if (random.Next(4) == 0) stage.Run();
        client.Say(question);
        stage.Run();
        var dc = stage.LatestDc();
        Assert.True(dc.Text.AsSpan().SequenceEqual(question), "the question was lost");
        dc.Peer.Send(answer);
        if (random.Next(2) == 0) dc.Peer.Finish();
        client.Say(question);
        client.Peer.Finish();
        stage.Run();
        Assert.True(client.Payload.AsSpan().SequenceEqual((byte[])[.. welcome, .. answer]), "the answer was lost");
        Assert.True(dc.Text.AsSpan().SequenceEqual((byte[])[.. question, .. question]), "the second question was lost");
        stage.Advance(11);
        Assert.NotEqual(PeerEnd.None, dc.Peer.End);
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        Assert.Single(stage.Metrics.Closed);
        stage.AssertNothingLeft();
        stage.AssertNoFault();
    }

    private static byte[] Bytes(Random random) =>
        RandomNumberGenerator.GetBytes(random.Next(4) == 0 ? random.Next(200_000) : random.Next(1, 2000));

    private static int Capacity(Random random) => random.Next(3) switch
    {
        0 => random.Next(50, 500),
        1 => random.Next(500, 20_000),
        _ => 64 * 1024,
    };
}
