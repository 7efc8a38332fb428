using Portico.Protocol.FakeTls;
using Xunit;

namespace Portico.Protocol.Tests.FakeTls;

public class RecordRampTests
{
    [Fact]
    public void Records_grow_from_one_segment_to_the_longest_while_a_transfer_goes_on()
    {
        var ramp = default(RecordRamp);
        var lengths = Send(ref ramp, 400 * 1024, nowSeconds: 100);
        Assert.Equal([RecordRamp.FirstPayload, RecordRamp.SecondPayload, TlsRecordWriter.UsualPayload], lengths.Distinct());
        Assert.Equal(RecordRamp.StepRecords, lengths.Count(length => length == RecordRamp.FirstPayload));
        Assert.Equal(RecordRamp.StepRecords, lengths.Count(length => length == RecordRamp.SecondPayload));
        Assert.Equal(lengths.Order(), lengths);
        Assert.All(Send(ref ramp, 100 * 1024, nowSeconds: 101), length => Assert.Equal(TlsRecordWriter.UsualPayload, length));
    }

    [Theory]
    [InlineData(1, TlsRecordWriter.UsualPayload)]
    [InlineData(2, RecordRamp.FirstPayload)]
    [InlineData(100_000, RecordRamp.FirstPayload)]
    public void After_a_pause_they_begin_small_again(int pauseSeconds, int first)
    {
        var ramp = default(RecordRamp);
        Send(ref ramp, 400 * 1024, nowSeconds: 50);
        Assert.Equal(first, ramp.Next(50 + pauseSeconds));
    }

    [Fact]
    public void Traffic_without_a_pause_counts_together_however_small_its_parts()
    {
        var ramp = default(RecordRamp);
        for (var second = 0; second < 200; second++)
        {
            Assert.InRange(ramp.Next(second), RecordRamp.FirstPayload, TlsRecordWriter.UsualPayload);
            ramp.Sent();
        }

        Assert.Equal(TlsRecordWriter.UsualPayload, ramp.Next(200));
    }

    [Fact]
    public void Full_records_are_full_from_the_first_on_and_after_every_pause()
    {
        var ramp = RecordRamp.Full();
        Assert.Equal([TlsRecordWriter.UsualPayload], Send(ref ramp, 400 * 1024, nowSeconds: 7).Distinct());
        Assert.Equal(TlsRecordWriter.UsualPayload, ramp.Next(1000));
    }

    [Theory]
    [InlineData(4096 + 17)]
    [InlineData(16_000)]
    [InlineData(1000)]
    public void A_learnt_length_is_what_full_records_carry(int longest)
    {
        var full = RecordRamp.Full(longest);
        Assert.Equal([longest], Send(ref full, 400 * 1024, nowSeconds: 7).Distinct());
        var growing = RecordRamp.Growing(longest);
        var lengths = Send(ref growing, 400 * 1024, nowSeconds: 7);
        Assert.Equal(longest, lengths[^1]);
        Assert.Equal(lengths.Order(), lengths);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(TlsRecordWriter.MaxPayload + 1)]
    public void A_length_that_no_client_takes_is_refused(int longest)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => RecordRamp.Full(longest));
        Assert.Throws<ArgumentOutOfRangeException>(() => RecordRamp.Growing(longest));
    }

    /// <summary>Seen on downloads before: 16384 again and again, which no TLS 1.3 server sends.</summary>
    [Fact]
    public void A_full_record_is_as_long_as_that_many_bytes_encrypted()
    {
        Assert.Equal(8192 + 1 + 16, TlsRecordWriter.UsualPayload);
        Assert.Equal(1369 + 1 + 16, RecordRamp.FirstPayload);
        Assert.Equal(4229 + 1 + 16, RecordRamp.SecondPayload);
    }

    private static List<int> Send(ref RecordRamp ramp, int bytes, int nowSeconds)
    {
        var lengths = new List<int>();
        for (var left = bytes; left > 0; left -= lengths[^1])
        {
            lengths.Add(ramp.Next(nowSeconds));
            ramp.Sent();
        }

        return lengths;
    }
}
