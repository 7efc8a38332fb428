using Portico.Core.Options;
using Portico.Core.Tests.Staging;
using Portico.Protocol.FakeTls;
using Xunit;

namespace Portico.Core.Tests.Backends;

/// <summary>Records to clients that begin small (fakeTls.recordSizes): other pieces, the same bytes, at the same time.</summary>
public class RecordSizesTests
{
    private const int Long = 300_000;

    [Fact]
    public void In_direct_mode_a_long_answer_comes_at_once_in_records_that_grow()
    {
        using var stage = new Stage(change: Ramp);
        var (client, dc) = stage.Relay();
        dc.Say(new byte[Long]);
        stage.Run();
        Assert.Equal(Long, client.Text.Length);
        AssertGrows(client.RecordLengths);
    }

    [Fact]
    public void In_direct_mode_records_are_small_again_after_a_pause()
    {
        using var stage = new Stage(change: Ramp);
        var (client, dc) = stage.Relay();
        dc.Say(new byte[Long]);
        stage.Run();
        var before = client.RecordLengths.Count;
        stage.Advance(2);
        dc.Say(new byte[3000]);
        stage.Run();
        Assert.Equal(
            [RecordRamp.FirstPayload, RecordRamp.FirstPayload, 3000 - (2 * RecordRamp.FirstPayload)],
            client.RecordLengths.Skip(before));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void In_direct_mode_a_client_that_takes_bites_gets_every_byte_in_rough_weather(int seed)
    {
        using var stage = new Stage(seed: seed, change: Ramp);
        var (client, dc) = stage.Relay();
        client.Peer.ToPeer.Capacity = 1777;
        var text = new byte[Long];
        new Random(seed).NextBytes(text);
        dc.Say(text);
        for (var i = 0; i < 2000 && client.Text.Length < Long; i++) stage.Run();
        Assert.Equal(text, client.Text);
        stage.AssertNoFault();
    }

    [Fact]
    public void In_middle_mode_a_long_answer_comes_at_once_in_records_that_grow()
    {
        using var stage = new MiddleStage(change: Ramp);
        var (client, link, id) = stage.Rest();
        link.Answer(id, new byte[Long]);
        stage.Run();
        Assert.Equal(Long, client.Packets[^1].Length & ~3);
        AssertGrows(client.Inner.RecordLengths);
    }

    [Fact]
    public void Without_it_every_record_but_the_last_of_a_long_answer_is_full()
    {
        using var stage = new Stage();
        var (client, dc) = stage.Relay();
        dc.Peer.ToProxy.Capacity = Long; // everything there is at once: where a read ends, a record does
        dc.Say(new byte[Long]);
        stage.Run();
        Assert.Equal(Enumerable.Repeat(8192 + 17, 36).Append(Long - (36 * (8192 + 17))), client.RecordLengths);
    }

    private static ProxySettings Ramp(ProxySettings settings) => settings with { RecordSizes = RecordSizes.Ramp };

    // Reads end where they end, so that a record between two sizes may be cut short; none is longer than its step allows.
    private static void AssertGrows(List<int> lengths)
    {
        const int step = RecordRamp.StepRecords;
        for (var i = 0; i < lengths.Count; i++)
        {
            var most = i < step ? RecordRamp.FirstPayload : i < 2 * step ? RecordRamp.SecondPayload : TlsRecordWriter.UsualPayload;
            Assert.InRange(lengths[i], 1, most);
        }

        Assert.Contains(RecordRamp.FirstPayload, lengths);
        Assert.Contains(RecordRamp.SecondPayload, lengths);
        Assert.Contains(TlsRecordWriter.UsualPayload, lengths);
    }
}
