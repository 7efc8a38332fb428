using Portico.Core.Handshake;
using Portico.Protocol.Crypto;
using Portico.Protocol.Tests.Crypto;
using Xunit;

namespace Portico.Core.Tests.Handshake;

public class X25519PointPoolTests
{
    private readonly RandomKeystream _random = new();

    [Fact]
    public void A_filled_pool_serves_a_burst_without_work_on_the_loop_and_fills_up_again()
    {
        using var pool = new X25519PointPool();
        AwaitFull(pool);

        var keys = Take(pool, X25519PointPool.Capacity / 2);

        Assert.Equal(0, pool.MadeInline);
        Assert.Equal(keys.Count, keys.Distinct().Count());
        Take(pool, X25519PointPool.Capacity / 4);
        AwaitFull(pool);
    }

    [Fact]
    public void An_empty_pool_makes_a_few_keys_at_once()
    {
        using var pool = new X25519PointPool(startThread: false);

        var keys = Take(pool, (2 * X25519PointPool.InlineBatch) + 1);

        Assert.Equal(3 * X25519PointPool.InlineBatch, pool.MadeInline);
        Assert.Equal(X25519PointPool.InlineBatch - 1, pool.Count);
        Assert.Equal(keys.Count, keys.Distinct().Count());
    }

    [Fact]
    public void Keys_made_either_way_are_such_as_key_exchanges_make()
    {
        using var filled = new X25519PointPool();
        using var empty = new X25519PointPool(startThread: false);
        AwaitFull(filled);
        foreach (var key in Take(filled, 100).Concat(Take(empty, 100)))
            Assert.True(Ladder25519.IsInSubgroup(Convert.FromHexString(key)));
    }

    [Fact]
    public void Taking_a_key_allocates_nothing()
    {
        using var pool = new X25519PointPool(startThread: false);
        var key = new byte[X25519PointPool.KeyLength];
        pool.Take(_random, key);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 3 * X25519PointPool.InlineBatch; i++) pool.Take(_random, key);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void AwaitFull(X25519PointPool pool) =>
        Assert.True(SpinWait.SpinUntil(() => pool.Count == X25519PointPool.Capacity, TimeSpan.FromSeconds(30)));

    private List<string> Take(X25519PointPool pool, int count)
    {
        var key = new byte[X25519PointPool.KeyLength];
        var keys = new List<string>();
        for (var i = 0; i < count; i++)
        {
            pool.Take(_random, key);
            keys.Add(Convert.ToHexString(key));
        }
        return keys;
    }
}
