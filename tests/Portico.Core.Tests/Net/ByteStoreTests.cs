using Portico.Core.Net;
using Xunit;

namespace Portico.Core.Tests.Net;

public class ByteStoreTests
{
    private readonly BufferPool _buffers = new();
    private ByteStore _store;

    [Fact]
    public void It_gives_back_in_order_whatever_the_steps_and_rents_only_while_it_holds_something()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var model = new Queue<byte>();
            byte next = 0;
            for (var step = 0; step < 60; step++)
            {
                switch (random.Next(3))
                {
                    case 0:
                        var most = 1 << random.Next(1, 15);
                        var room = _store.Room(_buffers, most);
                        Assert.True(room.Length >= most);
                        var count = random.Next(1, most + 1);
                        for (var i = 0; i < count; i++) model.Enqueue(room[i] = next++);
                        _store.Add(count);
                        break;
                    case 1:
                        byte[] bytes = [next++, next++, next++];
                        foreach (var one in bytes) model.Enqueue(one);
                        _store.Append(_buffers, bytes);
                        break;
                    default:
                        var taken = random.Next(_store.Length + 1);
                        for (var i = 0; i < taken; i++) Assert.Equal(model.Dequeue(), _store.Bytes[i]);
                        _store.Take(_buffers, taken);
                        break;
                }

                Assert.Equal(model.Count, _store.Length);
                Assert.Equal(model.Count == 0, _store.IsEmpty);
                if (_store.IsEmpty) Assert.Equal(0, _buffers.Rented);
            }

            Assert.Equal(model.ToArray(), _store.Bytes.ToArray());
            _store.Drop(_buffers);
            Assert.Equal(0, _buffers.Rented);
        }
    }

    [Fact]
    public void Room_that_was_not_used_is_given_back_by_dropping()
    {
        _store.Room(_buffers, 10);
        Assert.True(_store.IsEmpty);
        Assert.NotEqual(0, _buffers.Rented);
        _store.Drop(_buffers);
        _store.Drop(_buffers);
        Assert.Equal(0, _buffers.Rented);
    }

    [Fact]
    public void It_grows_beyond_the_largest_size_on_offer()
    {
        _store.Append(_buffers, [1, 2, 3]);
        var room = _store.Room(_buffers, BufferPool.LargestSize);
        Assert.True(room.Length >= BufferPool.LargestSize);
        Assert.Equal([1, 2, 3], _store.Bytes.ToArray());
        _store.Drop(_buffers);
        Assert.Equal(0, _buffers.Rented);
    }
}
