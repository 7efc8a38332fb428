using System.Diagnostics;
using Portico.Core.Net;
using Portico.IntegrationTests.Hostile;
using Portico.IntegrationTests.MiddleProxy;
using Portico.TestKit.Clients;
using Portico.TestKit.Proxies;
using Portico.TestKit.Telegram;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Clients;

/// <summary>Clients on bad lines: they take bytes all the time but few, or none for a while. Both ways to Telegram.</summary>
/// <remarks>
/// Nothing else is run meanwhile but the other ways, which wait too: where the machine stands still, so does the client, and its deadline
/// does not.
/// </remarks>
[Collection(nameof(Siege))]
public sealed class SlowReaderTests
{
    private const int FrameSize = 65536, FramePrefix = 4;

    // 16 KB/s.
    private const int Sip = 4096;
    private static readonly TimeSpan SipEvery = TimeSpan.FromMilliseconds(250);

    [Trait(Suite.Trait, Suite.Long)]
    [Fact]
    public Task A_client_that_takes_16_KB_a_second_outlives_the_write_deadline() => EveryWay.AtOnceAsync(async (engine, isMiddle) =>
    {
        await using var test = Start(engine, isMiddle, clientWrite: TimeSpan.FromSeconds(2));
        await SipAsync(test, frames: 24, TimeSpan.FromSeconds(7));
    });

    [Trait(Suite.Trait, Suite.Minutes)]
    [Fact]
    public Task A_client_that_takes_16_KB_a_second_outlives_the_default_deadline() => EveryWay.AtOnceAsync(async (engine, isMiddle) =>
    {
        await using var test = Start(engine, isMiddle);
        await SipAsync(test, frames: 40, TimeSpan.FromSeconds(90));
    });

    [Trait(Suite.Trait, Suite.Minutes)]
    [Fact]
    public Task A_reader_that_pauses_25_seconds_gets_everything() => EveryWay.AtOnceAsync(async (engine, isMiddle) =>
    {
        await using var test = Start(engine, isMiddle);
        await using var client = await AskAsync(test, frames: 40);
        await Task.Delay(TimeSpan.FromSeconds(25));
        await ExpectRestAsync(test, client, 40, 0);
    });

    private static ProxyUnderTest Start(EngineKind engine, bool isMiddle, TimeSpan? clientWrite = null)
    {
        Core.Options.ProxySettings Change(Core.Options.ProxySettings settings) =>
            settings with { Timeouts = settings.Timeouts with { ClientWrite = clientWrite ?? settings.Timeouts.ClientWrite } };
        return isMiddle ? ProxyUnderTest.StartMiddle(engine, Change) : ProxyUnderTest.Start(engine, Change);
    }

    private static async Task<FakeClient> AskAsync(ProxyUnderTest test, uint frames)
    {
        var client = await test.GreetAsync(ClientKind.Intermediate.Profile(), receiveBuffer: 16 * 1024);
        await client.AskForAsync(frames, FrameSize);
        return client;
    }

    private static async Task SipAsync(ProxyUnderTest test, uint frames, TimeSpan length)
    {
        await using var client = await AskAsync(test, frames);
        var (buffer, taken, began) = (new byte[Sip], 0L, Stopwatch.GetTimestamp());
        while (Stopwatch.GetElapsedTime(began) < length)
        {
            var (count, end) = await client.Wire.ReadSomeAsync(buffer);
            Assert.Equal(PeerEnd.None, end);
            taken += count;
            await Task.Delay(SipEvery);
        }

        await ExpectRestAsync(test, client, frames, taken);
    }

    private static async Task ExpectRestAsync(ProxyUnderTest test, FakeClient client, uint frames, long taken)
    {
        var (buffer, all) = (new byte[FrameSize], (long)frames * (FramePrefix + TestFrame.HeaderLength + FrameSize));
        while (taken < all)
        {
            var (count, end) = await client.Wire.ReadSomeAsync(buffer);
            Assert.Equal(PeerEnd.None, end);
            taken += count;
        }

        Assert.Equal(all, taken);
        Assert.Equal(0, test.Metrics.Value("portico_connections_closed_total"));
    }
}
