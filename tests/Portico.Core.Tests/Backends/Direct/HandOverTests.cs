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
    [InlineData(100)]
    [InlineData(200)]
    [InlineData(300)]
    [InlineData(400)]
    public void No_weather_loses_a_byte_or_a_wake_up(int firstSeed)
    {
        for (var seed = firstSeed; seed < firstSeed + 100; seed++)
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
        Assert.Equal(PeerEnd.Fin, dc.Peer.End);
        stage.Advance(11);
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        Assert.Single(stage.Metrics.Closed);
        stage.AssertNothingLeft();
        stage.AssertNoFault();
    }

    private static byte[] Bytes(Random random) => RandomNumberGenerator.GetBytes(random.Next(4) == 0 ? random.Next(200_000) : random.Next(1, 2000));

    private static int Capacity(Random random) => random.Next(3) switch
    {
        0 => random.Next(50, 500),
        1 => random.Next(500, 20_000),
        _ => 64 * 1024,
    };
}
