using Portico.Core.Net;
using Xunit;

namespace Portico.Core.Tests.Net;

public class SlotTableTests
{
    private readonly LoopBench _bench = new();
    private readonly SlotTable _table = new();

    [Fact]
    public void A_token_finds_its_channel()
    {
        var channel = _bench.Channel();
        var slot = _table.Add(channel);
        Assert.Same(channel, _table.Find(_table.Token(slot)));
        Assert.Same(channel, _table[slot]);
        Assert.Equal(1, _table.Count);
    }

    [Fact]
    public void A_stale_token_finds_nobody_neither_before_nor_after_the_slot_has_a_new_tenant()
    {
        var slot = _table.Add(_bench.Channel());
        var token = _table.Token(slot);
        _table.Retire(slot);
        Assert.Null(_table.Find(token));
        _table.FreeRetired();
        var tenant = _bench.Channel();
        Assert.Equal(slot, _table.Add(tenant));
        Assert.Null(_table.Find(token));
        Assert.Same(tenant, _table.Find(_table.Token(slot)));
    }

    [Fact]
    public void A_closed_slot_is_given_away_only_after_the_batch()
    {
        var slot = _table.Add(_bench.Channel());
        _table.Retire(slot);
        Assert.NotEqual(slot, _table.Add(_bench.Channel()));
        Assert.True(_table.FreeRetired());
        Assert.False(_table.FreeRetired());
        Assert.Equal(slot, _table.Add(_bench.Channel()));
    }

    [Fact]
    public void Retiring_twice_gives_a_slot_away_once()
    {
        var slot = _table.Add(_bench.Channel());
        _table.Retire(slot);
        _table.Retire(slot);
        _table.FreeRetired();
        Assert.Equal(0, _table.Count);
        Assert.Equal(slot, _table.Add(_bench.Channel()));
        Assert.NotEqual(slot, _table.Add(_bench.Channel()));
    }

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(0xffff_fffe_0000_0000)]
    [InlineData(0x0000_0000_7fff_ffff)]
    [InlineData(256UL)]
    public void A_token_that_was_never_given_finds_nobody(ulong token)
    {
        _table.Add(_bench.Channel());
        Assert.Null(_table.Find(token));
    }

    [Fact]
    public void Thousands_of_slots_come_and_go_without_two_tenants_meeting()
    {
        var channels = Enumerable.Range(0, 50).Select(_ => _bench.Channel()).ToList();
        var random = new Random(7);
        var open = new Dictionary<int, (ulong Token, Channel Channel)>();
        var stale = new List<ulong>();
        for (var round = 0; round < 20_000; round++)
        {
            if (open.Count < 4000 && random.Next(5) > 0)
            {
                var channel = channels[random.Next(channels.Count)];
                var slot = _table.Add(channel);
                Assert.True(open.TryAdd(slot, (_table.Token(slot), channel)), "a slot was given away twice");
            }
            else if (open.Count > 0)
            {
                var slot = open.Keys.ElementAt(random.Next(Math.Min(open.Count, 10)));
                stale.Add(open[slot].Token);
                open.Remove(slot);
                _table.Retire(slot);
            }

            if (random.Next(20) == 0) _table.FreeRetired();
        }

        Assert.True(open.Count >= 3900);
        Assert.Equal(open.Count, _table.Count);
        Assert.Equal(open.Count, _table.Open().Count);
        Assert.All(open.Values, entry => Assert.Same(entry.Channel, _table.Find(entry.Token)));
        Assert.All(stale, token => Assert.Null(_table.Find(token)));
    }

    [Fact]
    public void A_slot_that_was_used_two_thousand_million_times_is_still_told_from_a_listener()
    {
        var table = new SlotTable(SlotTable.LastGeneration);
        var slot = table.Add(_bench.Channel());
        Assert.Equal(0UL, table.Token(slot) >> 63);
        table.Retire(slot);
        table.FreeRetired();
        Assert.Equal(slot, table.Add(_bench.Channel()));
        Assert.Equal(0UL, table.Token(slot) >> 32);
    }
}
