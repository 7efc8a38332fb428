using Portico.Core.Net;
using Portico.TestKit.Memory;
using Xunit;

namespace Portico.Core.Tests.Net;

public sealed class PeerProgressTests
{
    private readonly MemoryChannel _channel = new LoopBench().Channel();
    private PeerProgress _progress;

    public PeerProgressTests()
    {
        _channel.Peer.ReadsAtOnce = false;
        _channel.Write(new byte[1000], out var written);
        _progress.Wrote(written);
        _progress.Watch(0);
        _progress.Look(_channel, isPending: true, 0);
    }

    [Fact]
    public void Silence_adds_up_from_look_to_look()
    {
        for (var now = 5000; now <= 60_000; now += 5000)
            Assert.Equal(now, _progress.Look(_channel, isPending: true, now));
    }

    [Fact]
    public void A_leap_of_the_clock_is_no_silence_of_the_peer()
    {
        Assert.Equal(5000, _progress.Look(_channel, isPending: true, 5000));
        Assert.Equal(0, _progress.Look(_channel, isPending: true, 3_600_000));
        Assert.Equal(5000, _progress.Look(_channel, isPending: true, 3_605_000));
    }

    [Fact]
    public void What_is_taken_begins_anew()
    {
        Assert.Equal(5000, _progress.Look(_channel, isPending: true, 5000));
        _channel.Write(new byte[1000], out var written);
        _progress.Wrote(written);
        Assert.Equal(0, _progress.Look(_channel, isPending: true, 10_000));
        Assert.Equal(5000, _progress.Look(_channel, isPending: true, 15_000));
    }
}
