using Portico.Core.Admission;
using Xunit;

namespace Portico.Core.Tests.Admission;

public class SeenUsersTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(1000)]
    public void Each_user_is_new_once_and_counted_once_in_each_period(int count)
    {
        var users = new SeenUsers(count);
        for (var user = 0; user < count; user++) Assert.True(users.Note(user));
        for (var user = 0; user < count; user++) Assert.False(users.Note(user));
        Assert.Equal(count, users.TakeLately());
        Assert.Equal(0, users.TakeLately());
        Assert.False(users.Note(count - 1));
        Assert.Equal(1, users.TakeLately());
    }

    [Fact]
    public void Loops_that_meet_a_user_at_the_same_time_agree_whose_client_was_first()
    {
        var users = new SeenUsers(640);
        var first = 0;
        Parallel.For(0, 6400, i =>
        {
            if (users.Note(i % 640)) Interlocked.Increment(ref first);
        });
        Assert.Equal(640, first);
    }
}
