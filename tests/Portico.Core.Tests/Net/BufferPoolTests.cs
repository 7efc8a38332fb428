using Portico.Core.Net;
using Xunit;

namespace Portico.Core.Tests.Net;

public class BufferPoolTests
{
    private readonly BufferPool _pool = new();

    [Theory]
    [InlineData(1)]
    [InlineData(1024)]
    [InlineData(1025)]
    [InlineData(4096)]
    [InlineData(16424)]
    [InlineData(Scratch.Length)]
    [InlineData(Scratch.Length + 64)]
    [InlineData(66560)]
    public void A_buffer_holds_what_was_asked_for_and_the_count_returns_to_zero(int length)
    {
        var buffer = _pool.Rent(length);
        Assert.True(buffer.Length >= length);
        Assert.Equal(buffer.Length, _pool.Rented);
        _pool.Return(buffer);
        Assert.Equal(0, _pool.Rented);
    }

    [Fact]
    public void What_comes_back_is_rented_again()
    {
        var buffer = _pool.Rent(4096);
        _pool.Return(buffer);
        Assert.Same(buffer, _pool.Rent(2000));
        Assert.NotSame(buffer, _pool.Rent(2000));
    }

    [Fact]
    public void What_comes_back_is_poisoned_so_that_a_late_reader_shows()
    {
        var buffer = _pool.Rent(1000);
        buffer.AsSpan().Fill(7);
        _pool.Return(buffer);
        Assert.All(buffer, value => Assert.Equal(0xdb, value));
    }

    [Theory]
    [InlineData(1024, 16)]
    [InlineData(4096, 16)]
    [InlineData(16424, 8)]
    [InlineData(65620, 4)]
    public void After_a_burst_only_so_many_buffers_stay(int length, int kept)
    {
        var burst = Enumerable.Range(0, 40).Select(_ => _pool.Rent(length)).ToHashSet();
        foreach (var buffer in burst) _pool.Return(buffer);
        Assert.Equal(0, _pool.Rented);
        Assert.Equal(kept, Enumerable.Range(0, 40).Count(_ => burst.Contains(_pool.Rent(length))));
    }

    [Fact]
    public void More_than_the_largest_size_is_a_mistake_of_the_caller() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => _pool.Rent(BufferPool.LargestSize + 1));
}
