using System.Buffers.Binary;
using Portico.Core.Tests.Staging;
using Portico.Protocol;
using Xunit;

namespace Portico.Core.Tests.Backends.MiddleProxy;

/// <summary>Random traffic on a network that delivers in pieces, with links that die at any step.</summary>
public class TurbulenceTests
{
    private const int MostPackets = 12;

    /// <summary>
    /// An echoing server: who is not closed has got the answer to everything it said,
    /// once and in order, whatever happened to its links.
    /// </summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Nobody_gets_a_wrong_byte_and_nobody_who_stays_misses_one(int part)
    {
        // ./check --slow looks at a hundred times as many.
        var seeds = Environment.GetEnvironmentVariable("PORTICO_SLOW") is null ? 10 : 1000;
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

    private static void Survive(int seed)
    {
        var random = new Random(seed);
        using var stage = new MiddleStage(seed, settings => settings with { Middle = settings.Middle with { ClientsPerConnection = 3 } });
        stage.OnLink = link =>
        {
            link.PaddingWords = random.Next(4);
            link.OnRequest = (_, request) => link.Answer(request.Id, request.Packet);
        };
        var clients = new List<Talker>();
        for (var i = 0; i < 8; i++) clients.Add(new Talker(stage, i, random));
        var isRough = true;
        stage.Loop.BetweenSteps = () =>
        {
            if (!isRough || random.Next(60) > 0) return;
            var open = stage.OpenLinks.ToList();
            if (open.Count == 0) return;
            var link = open[random.Next(open.Count)];
            if (random.Next(2) == 0) link.Finish();
            else link.Reset();
        };
        for (var step = 0; step < 60; step++)
        {
            foreach (var client in clients) client.Act(random);
            if (random.Next(3) == 0) stage.Run();
            if (random.Next(10) == 0) stage.Advance(0.3);
        }

        isRough = false;
        stage.Run();
        stage.Advance(12); // who still waits for a link is let go after ten seconds
        foreach (var client in clients) client.Check();
        Assert.Empty(stage.Stage.Log.Errors);
        foreach (var client in clients) client.Leave();
        stage.Run();
        stage.Advance(6);
        Assert.Equal(0, stage.Stage.Proxy.SessionCount);
        Assert.Equal(0, stage.Metrics.Observe("portico.dc.clients"));
        stage.AssertNothingHeld();
        stage.Stage.Stop();
        stage.Stage.AssertNothingLeft();
    }

    private sealed class Talker
    {
        private readonly MiddleClient _client;
        private readonly List<byte[]> _said = [];
        private readonly int _number;
        private bool _left;

        public Talker(MiddleStage stage, int number, Random random)
        {
            var transport = (Transport)Enum.GetValues<Transport>().GetValue(random.Next(Enum.GetValues<Transport>().Length))!;
            var traits = new ClientTraits { IsTls = random.Next(2) == 0 && transport == Transport.Padded, Transport = transport };
            _number = number;
            _client = new MiddleClient(stage.Stage.Call(traits), transport);
            _client.Peer.Send([.. _client.Inner.Hello, .. _client.Inner.Header]);
        }

        public void Act(Random random)
        {
            if (_left || _client.IsEnded || random.Next(4) > 0 || _said.Count == MostPackets)
                return;
            if (random.Next(40) == 0)
            {
                Leave();
                return;
            }

            var packet = new byte[4 * (2 + random.Next(1 << random.Next(1, 12)))];
            random.NextBytes(packet);
            BinaryPrimitives.WriteInt32LittleEndian(packet, _number + 1);
            BinaryPrimitives.WriteInt32LittleEndian(packet.AsSpan(4), _said.Count);
            _said.Add(packet);
            _client.Send(packet);
        }

        public void Check()
        {
            var got = _client.Packets;
            if (!_left && !_client.IsEnded) Assert.Equal(_said.Count, got.Count);
            Assert.True(got.Count <= _said.Count);
            for (var i = 0; i < got.Count; i++) Assert.Equal(_said[i], got[i]);
        }

        public void Leave()
        {
            if (_left) return;
            _left = true;
            if (!_client.Peer.HasReset) _client.Peer.Finish();
        }
    }
}
