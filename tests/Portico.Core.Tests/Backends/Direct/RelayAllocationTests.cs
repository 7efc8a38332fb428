using Portico.Core.Options;
using Portico.Core.Tests.Staging;
using Portico.TestKit.Memory;
using Xunit;

namespace Portico.Core.Tests.Backends.Direct;

public class RelayAllocationTests
{
    private const int WarmUp = 200, Messages = 200, Rounds = 5;

    private readonly byte[] _area = new byte[256 * 1024];

    [Theory]
    [InlineData(true, true, 100)]
    [InlineData(true, true, 60_000)]
    [InlineData(true, false, 1000)]
    [InlineData(false, true, 1000)]
    public void A_message_from_the_dc_is_relayed_without_an_allocation(bool isTls, bool passThrough, int length)
    {
        using var stage = Stage(passThrough);
        var (client, dc) = stage.Relay(new ClientTraits { IsTls = isTls });
        client.Peer.ReadsAtOnce = false;
        var message = new byte[length];
        var (allocated, arrived) = Measure(stage, dc.Peer, client.Peer, _ => message);
        Assert.Equal(0, allocated);
        Assert.True(arrived >= (long)length * Messages);
    }

    [Theory]
    [InlineData(true, 100)]
    [InlineData(true, 50_000)]
    [InlineData(false, 1000)]
    public void A_message_from_the_client_is_relayed_without_an_allocation(bool isTls, int length)
    {
        using var stage = Stage(passThrough: true);
        var (client, dc) = stage.Relay(new ClientTraits { IsTls = isTls });
        dc.Peer.ReadsAtOnce = false;
        var message = client.Encode(new byte[length]);
        var (allocated, arrived) = Measure(stage, client.Peer, dc.Peer, _ => message);
        Assert.Equal(0, allocated);
        Assert.Equal((long)length * Messages, arrived);
    }

    [Fact]
    public void A_message_that_the_client_takes_in_two_bites_is_relayed_without_an_allocation()
    {
        using var stage = Stage(passThrough: true);
        var (client, dc) = stage.Relay();
        client.Peer.ReadsAtOnce = false;
        client.Peer.ToPeer.Capacity = 700;
        var message = new byte[1000];
        var (allocated, arrived) = Measure(stage, dc.Peer, client.Peer, _ => message);
        Assert.Equal(0, allocated);
        Assert.Equal(1005L * Messages, arrived);
    }

    private static Stage Stage(bool passThrough) => new(
        ClientProtocols.FakeTls | ClientProtocols.Secure,
        change: settings => settings with { Direct = settings.Direct with { PassThrough = passThrough } }, isSilent: true);

    private (long Allocated, long Arrived) Measure(Stage stage, MemoryPeer from, MemoryPeer to, Func<int, byte[]> message)
    {
        // The best of several rounds: the runtime may replace a method by a faster one in the middle of any of them and allocate for that.
        Relay(stage, from, to, message, WarmUp);
        var (least, arrived) = (long.MaxValue, 0L);
        for (var round = 0; round < Rounds; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            arrived = Relay(stage, from, to, message, Messages);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return (least, arrived);
    }

    private long Relay(Stage stage, MemoryPeer from, MemoryPeer to, Func<int, byte[]> message, int count)
    {
        long arrived = 0;
        for (var i = 0; i < count; i++)
        {
            from.Send(message(i));
            stage.Run();
            for (int read; (read = to.Read(_area)) > 0; stage.Run()) arrived += read;
        }

        return arrived;
    }
}
