using System.Runtime.CompilerServices;
using Portico.Core.Backends.MiddleProxy;
using Portico.Core.Clients;
using Portico.Core.Tests.Staging;
using Portico.TestKit.Memory;
using Xunit;

namespace Portico.Core.Tests.Backends.MiddleProxy;

public class MiddleAllocationTests
{
    private const int WarmUp = 200, Messages = 200, Rounds = 5, Budget = 256;

    private readonly byte[] _area = new byte[256 * 1024];

    [Theory]
    [InlineData(true, 100)]
    [InlineData(true, 40_000)]
    [InlineData(false, 1000)]
    public void An_answer_is_relayed_without_an_allocation(bool isTls, int length)
    {
        using var stage = new MiddleStage(isSilent: true);
        var (client, link, id) = stage.Rest(new ClientTraits { IsTls = isTls });
        client.Peer.ReadsAtOnce = false;
        var answers = Prepare(() => link.AnswerBytes(id, new byte[length]));
        var (allocated, arrived) = Measure(stage, link.Peer, client.Peer, answers);
        Assert.Equal(0, allocated);
        Assert.True(arrived >= (long)length * Messages);
    }

    [Theory]
    [InlineData(true, 100)]
    [InlineData(true, 40_000)]
    [InlineData(false, 1000)]
    public void A_request_is_relayed_without_an_allocation(bool isTls, int length)
    {
        using var stage = new MiddleStage(isSilent: true);
        var (client, link, _) = stage.Rest(new ClientTraits { IsTls = isTls });
        link.Peer.ReadsAtOnce = false;
        var requests = Prepare(() => client.Encode(new byte[length]));
        var (allocated, arrived) = Measure(stage, client.Peer, link.Peer, requests);
        Assert.Equal(0, allocated);
        Assert.True(arrived >= (long)length * Messages);
    }

    [Fact]
    public void An_answer_that_the_client_takes_in_bites_is_relayed_without_an_allocation()
    {
        using var stage = new MiddleStage(isSilent: true);
        var (client, link, id) = stage.Rest();
        client.Peer.ReadsAtOnce = false;
        client.Peer.ToPeer.Capacity = 700;
        var answers = Prepare(() => link.AnswerBytes(id, new byte[1000]));
        var (allocated, arrived) = Measure(stage, link.Peer, client.Peer, answers);
        Assert.Equal(0, allocated);
        Assert.True(arrived >= 1000L * Messages);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Letting_a_client_in_allocates_the_session_the_relay_and_at_most_256_bytes(bool isTls)
    {
        using var stage = new MiddleStage(isSilent: true);
        stage.Rest();
        var own = SizeOf<ClientSession>() + SizeOf<MiddleRelay>();
        var least = long.MaxValue;
        for (var i = 0; i < 300; i++)
        {
            var client = stage.Stage.Call(new ClientTraits { IsTls = isTls });
            client.Peer.ReadsAtOnce = false;
            var header = client.Header;
            var before = GC.GetAllocatedBytesForCurrentThread() - stage.Loop.OwnAllocations;
            if (isTls)
            {
                client.Peer.Send(client.Hello);
                stage.Stage.Run();
            }

            client.Peer.Send(header);
            stage.Stage.Run();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - stage.Loop.OwnAllocations - before);
            Assert.Equal(2, stage.Stage.Proxy.SessionCount);
            client.Peer.Reset();
            stage.Run();
        }

        Assert.InRange(least, own, own + Budget);
    }

    // Frames have numbers and ciphers move on, so each message is its own; made before anything is measured.
    private static Queue<byte[]> Prepare(Func<byte[]> make) => new(Enumerable.Range(0, WarmUp + (Rounds * Messages)).Select(_ => make()));

    private (long Allocated, long Arrived) Measure(MiddleStage stage, MemoryPeer from, MemoryPeer to, Queue<byte[]> messages)
    {
        // The best of several rounds: the runtime may replace a method by a faster one in the middle of any of them and allocate for that.
        Relay(stage.Stage, from, to, messages, WarmUp);
        var (least, arrived) = (long.MaxValue, 0L);
        for (var round = 0; round < Rounds; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            arrived = Relay(stage.Stage, from, to, messages, Messages);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return (least, arrived);
    }

    private long Relay(Stage stage, MemoryPeer from, MemoryPeer to, Queue<byte[]> messages, int count)
    {
        long arrived = 0;
        for (var i = 0; i < count; i++)
        {
            from.Send(messages.Dequeue());
            stage.Run();
            for (int read; (read = to.Read(_area)) > 0; stage.Run()) arrived += read;
        }

        return arrived;
    }

    private static long SizeOf<T>()
        where T : class
    {
        RuntimeHelpers.GetUninitializedObject(typeof(T));
        var before = GC.GetAllocatedBytesForCurrentThread();
        RuntimeHelpers.GetUninitializedObject(typeof(T));
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
