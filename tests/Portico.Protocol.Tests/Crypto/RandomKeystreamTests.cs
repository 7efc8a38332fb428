using Portico.Protocol.Crypto;
using Xunit;

namespace Portico.Protocol.Tests.Crypto;

public class RandomKeystreamTests
{
    [Fact]
    public void Bytes_are_spread_evenly_and_never_repeat()
    {
        // Across more than one change of key.
        var random = new RandomKeystream();
        var counts = new long[256];
        var seen = new HashSet<string>();
        var bytes = new byte[2560];
        for (var i = 0; i < 1000; i++)
        {
            random.Fill(bytes);
            Assert.True(seen.Add(Convert.ToHexString(bytes.AsSpan(0, 16))));
            foreach (var value in bytes) counts[value]++;
        }

        var expected = 1000.0 * bytes.Length / 256;
        var chiSquare = counts.Sum(count => (count - expected) * (count - expected) / expected);

        // 255 degrees of freedom: above 400 less often than once in 10^8 runs.
        Assert.InRange(chiSquare, 100, 400);
    }

    [Fact]
    public void What_was_in_the_buffer_does_not_show()
    {
        var random = new RandomKeystream();
        var ones = Enumerable.Repeat((byte)0xff, 64).ToArray();
        var copy = ones.ToArray();
        random.Fill(ones);
        Assert.NotEqual(copy, ones);
    }

    [Fact]
    public void Numbers_reach_both_ends_and_go_no_further()
    {
        var random = new RandomKeystream();
        var drawn = Enumerable.Range(0, 10_000).Select(_ => random.Between(5, 9)).ToList();
        Assert.Equal([5, 6, 7, 8, 9], drawn.Distinct().Order());
    }

    [Fact]
    public void Two_streams_differ()
    {
        var (one, two) = (new byte[32], new byte[32]);
        new RandomKeystream().Fill(one);
        new RandomKeystream().Fill(two);
        Assert.NotEqual(one, two);
    }
}
