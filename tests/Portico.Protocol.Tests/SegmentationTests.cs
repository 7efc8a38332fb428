using Xunit;
using Xunit.Sdk;

namespace Portico.Protocol.Tests;

/// <summary>The helper must find the faults it is there for.</summary>
public class SegmentationTests
{
    [Fact]
    public void Every_delivery_holds_all_bytes_in_order()
    {
        byte[] bytes = [1, 2, 3, 4, 5];
        var deliveries = Segmentation.Deliveries(bytes).ToList();

        Assert.Equal(
            ["whole", "embedded", "cut at 0", "cut at 1", "cut at 2", "cut at 3", "cut at 4", "byte by byte"],
            deliveries.Select(delivery => delivery.How));
        Assert.All(deliveries, delivery => Assert.Equal(bytes, delivery.Parts.SelectMany(part => part.ToArray())));
        Assert.Equal([0, 1, 2, 3, 4], Segmentation.Truncations(bytes).Select(beginning => beginning.Length));
    }

    [Fact]
    public void Long_inputs_are_cut_around_every_record_border()
    {
        var lengths = Segmentation.Truncations(new byte[40_000]).Select(beginning => beginning.Length).ToHashSet();

        Assert.Superset(new HashSet<int> { 0, 4, 5, 16384, 16388, 16389, 16390, 2 * 16389 - 1, 2 * 16389, 39_999 }, lengths);
        Assert.True(lengths.Count < 200);
    }

    [Fact]
    public void A_parser_that_judges_half_a_packet_is_found_out() => AssertFound((ReadOnlySpan<byte> bytes, out int result) =>
    {
        result = 3;
        return bytes.Length switch { 0 => FrameStatus.NeedMoreData, 1 => FrameStatus.Invalid, _ => FrameStatus.Ok };
    });

    [Fact]
    public void A_parser_that_takes_its_decision_back_is_found_out() => AssertFound((ReadOnlySpan<byte> bytes, out int result) =>
    {
        result = 3;
        return bytes.Length is 1 or 3 ? FrameStatus.Ok : FrameStatus.NeedMoreData;
    });

    [Fact]
    public void A_parser_whose_result_depends_on_the_cuts_is_found_out() => AssertFound((ReadOnlySpan<byte> bytes, out int result) =>
    {
        result = bytes.Length;
        return bytes.Length >= 2 ? FrameStatus.Ok : FrameStatus.NeedMoreData;
    });

    private static void AssertFound(ResumableParser<int> parse) =>
        Assert.ThrowsAny<XunitException>(() => Segmentation.AssertDecides([1, 2, 3], parse, FrameStatus.Ok, 3));
}
