using Portico.Core.Users;
using Portico.Protocol.Secrets;
using Xunit;

namespace Portico.Core.Tests.Users;

public class ListenerUsersTests
{
    private const long Now = 1_800_000_000;

    private static readonly DateOnly Today = new(2027, 1, 15);

    [Fact]
    public void Each_user_is_new_once_and_counted_once_in_each_period()
    {
        var users = new ListenerUsers("main", new UsageLedger());
        users.Replace([.. Enumerable.Range(0, 100).Select(i => Of($"user-{i}", i))], Today);
        foreach (var user in users.All) Assert.True(user.Began(Now));
        foreach (var user in users.All) Assert.False(user.Began(Now));
        Assert.Equal(100, users.TakeLately());
        Assert.Equal(0, users.TakeLately());
        Assert.False(users.All[99].Began(Now));
        Assert.Equal(1, users.TakeLately());
    }

    [Fact]
    public void Loops_that_meet_a_user_at_the_same_time_agree_whose_client_was_first()
    {
        var users = new ListenerUsers("main", new UsageLedger());
        users.Replace([.. Enumerable.Range(0, 64).Select(i => Of($"user-{i}", i))], Today);
        var first = 0;
        Parallel.For(0, 6400, i =>
        {
            if (users.All[i % 64].Began(Now)) Interlocked.Increment(ref first);
        });
        Assert.Equal(64, first);
        Assert.All(users.All, user => Assert.Equal(100, user.Connections));
    }

    [Fact]
    public void A_user_whose_secret_changes_is_the_same_user()
    {
        var users = new ListenerUsers("main", new UsageLedger());
        users.Replace([Of("alice", 1), Of("bob", 2)], Today);
        var alice = users.Find(Secret(1), Now)!;
        alice.Began(Now);
        alice.MeterOn(0).CountReceived(10, nowMs: 1);
        alice.MeterOn(1).CountSent(20, nowMs: 1);
        alice.Ended(Now + 5);

        users.Replace([Of("alice", 3)], Today);

        Assert.Same(alice, users.Find(Secret(3), Now));
        Assert.Null(users.Find(Secret(1), Now));
        Assert.Null(users.Find(Secret(2), Now));
        Assert.Equal((0, 10, 20, Now + 5), (alice.Connections, alice.Received, alice.Sent, alice.LastSeen));
    }

    [Fact]
    public void A_former_secret_is_good_until_its_time_and_is_the_same_user()
    {
        var users = new ListenerUsers("main", new UsageLedger());
        users.Replace([Of("alice", 1), Of("alice", 2) with { Until = DateTimeOffset.FromUnixTimeSeconds(Now + 60) }], Today);

        Assert.Same(users.Find(Secret(1), Now), users.Find(Secret(2), Now + 59));
        Assert.Null(users.Find(Secret(2), Now + 60));
        Assert.Single(users.All);
    }

    [Fact]
    public void Nobody_has_a_secret_of_a_listener_that_is_gone()
    {
        var users = new ListenerUsers("main", new UsageLedger());
        users.Replace([Of("alice", 1)], Today);
        users.Close();
        Assert.True(users.IsClosed);
        Assert.Null(users.Find(Secret(1), Now));
    }

    private static Credential Of(string name, int secret) => new(name, Secret(secret));

    private static ProxySecret Secret(int number)
    {
        var key = new byte[ProxySecret.Length];
        BitConverter.TryWriteBytes(key, number);
        return ProxySecret.Create(key);
    }
}
