using Portico.Core.Control;
using Portico.Core.Options;
using Portico.Core.Tests.Staging;
using Portico.Core.Users;
using Portico.Protocol.Secrets;
using Xunit;

namespace Portico.Core.Tests.Control;

/// <summary>Users that come, change and go while the proxy runs, as clients meet them and as they are kept.</summary>
public sealed class ManagedUsersTests : IDisposable
{
    private const string Alice = "a1b2c3d4e5f60718293a4b5c6d7e8f90", Bob = "b1b2c3d4e5f60718293a4b5c6d7e8f91";

    private readonly MemoryUserStore _store = new();
    private readonly List<Stage> _stages = [];

    public void Dispose()
    {
        foreach (var stage in _stages) stage.Dispose();
    }

    [Fact]
    public async Task A_user_comes_in_as_soon_as_it_was_added_and_its_session_ends_when_it_is_removed()
    {
        var stage = NewStage();
        AssertIsStranger(stage, Alice);
        var added = await Users(stage).AddAsync(new UserOptions { Name = "alice", Secret = Alice });
        Assert.Equal((UserOutcome.Applied, 1, "alice"), (added.Outcome, added.Revision, Assert.Single(added.Added)));
        Relay(stage, Alice);
        stage.Relay(); // of the file

        var removed = await Users(stage).RemoveAsync("alice");
        stage.Run();

        Assert.Equal("alice", Assert.Single(removed.Removed));
        Assert.Equal(["secret_removed (operator)"], stage.Metrics.Closed);
        AssertIsStranger(stage, Alice);
        Assert.Empty(_store.Users);
    }

    [Fact]
    public async Task A_set_in_another_order_is_no_change_and_only_sessions_of_those_who_are_gone_or_rekeyed_end()
    {
        var stage = NewStage();
        var set = Enumerable.Range(1, 50).Select(i => new UserOptions { Name = $"user-{i}", Secret = $"{i:x32}" }).ToList();
        await Users(stage).ReplaceAsync(set);
        for (var i = 1; i <= 50; i++) Relay(stage, $"{i:x32}");

        set.Reverse();
        Assert.Equal((UserOutcome.Unchanged, 1), Told(await Users(stage).ReplaceAsync(set)));
        stage.Run();
        Assert.Empty(stage.Metrics.Closed);

        set.RemoveAt(0);
        set[0].Secret = Alice;
        set[1].Note = "changed, and allowed what it was";
        var change = await Users(stage).ReplaceAsync(set);
        stage.Run();
        Assert.Equal((0, 2, 1), (change.Added.Length, change.Changed.Length, change.Removed.Length));
        Assert.Equal(["secret_removed (operator)", "secret_removed (operator)"], stage.Metrics.Closed);
    }

    [Fact]
    public async Task One_bad_entry_refuses_the_whole_set()
    {
        var stage = NewStage();
        await Users(stage).AddAsync(new UserOptions { Name = "alice", Secret = Alice });
        Relay(stage, Alice);
        var refused = await Users(stage).ReplaceAsync(
            [new() { Name = "bob", Secret = Bob }, new() { Name = "carol", Secret = $"{7:x32}", AdTag = "none" }]);
        stage.Run();

        Assert.Equal((UserOutcome.Refused, 1), Told(refused));
        Assert.Equal("users[1].adTag", Assert.Single(refused.Errors).Key);
        Assert.Empty(stage.Metrics.Closed);
        AssertIsStranger(stage, Bob);
    }

    [Fact]
    public async Task A_name_or_secret_of_the_file_cannot_be_managed_too_and_the_other_way_round()
    {
        var stage = NewStage();
        var secret = Convert.ToHexString(Stage.Secret.Key);
        Assert.Equal(UserOutcome.Refused, (await Users(stage).AddAsync(new UserOptions { Name = "default" })).Outcome);
        var refused = await Users(stage).AddAsync(new UserOptions { Name = "alice", Secret = secret });
        Assert.Contains("the configuration file", Assert.Single(refused.Errors).Problem, StringComparison.Ordinal);
        Assert.Equal(UserOutcome.InFile, (await Users(stage).RemoveAsync("default")).Outcome);
        Assert.Equal(UserOutcome.Unknown, (await Users(stage).RemoveAsync("nobody")).Outcome);

        await Users(stage).AddAsync(new UserOptions { Name = "alice", Secret = Alice });
        var settings = stage.Proxy.Settings with
        {
            Listeners = [stage.Proxy.Settings.Listeners[0] with { Credentials = [new Credential("alice", Stage.Secret)] }],
        };
        var conflict = await Assert.ThrowsAsync<UserConflictException>(() => stage.Proxy.ReloadAsync(settings));
        Assert.Contains("\"alice\" is the name of a managed user too", Assert.Single(conflict.Errors).Problem, StringComparison.Ordinal);
        Assert.Equal("default", Assert.Single(stage.Proxy.Settings.Listeners[0].Credentials, it => it.Shared is null).Name);
    }

    [Fact]
    public async Task A_reload_and_a_change_wait_until_users_are_held_no_more()
    {
        var stage = NewStage();
        Task waiting;
        using (await Users(stage).HoldAsync())
        {
            var change = Users(stage).AddAsync(new UserOptions { Name = "alice", Secret = Alice });
            var reload = stage.Proxy.ReloadAsync(stage.Proxy.Settings);
            waiting = Task.WhenAll(change, reload);
            await Task.Delay(20);
            Assert.False(change.IsCompleted || reload.IsCompleted);
            AssertIsStranger(stage, Alice);
        }

        await waiting;
        Relay(stage, Alice);
    }

    [Fact]
    public async Task Users_are_merged_into_those_that_are_there_and_all_others_stay()
    {
        var stage = NewStage();
        await Users(stage).AddAsync(new UserOptions { Name = "alice", Secret = Alice, Note = "first" });
        await Users(stage).AddAsync(new UserOptions { Name = "bob", Secret = Bob });
        Relay(stage, Alice);
        Relay(stage, Bob);
        var change = await Users(stage).MergeAsync(
        [
            ("alice", user => Noted(user, $"{user.Note}, second")), ("carol", user => Noted(user, "new")), ("bob", Unsaid),
        ]);
        stage.Run();
        Assert.Equal(("alice", "carol"), (Assert.Single(change.Changed), Assert.Single(change.Added)));
        Assert.Empty(change.Removed);
        Assert.Empty(stage.Metrics.Closed);
        Assert.Equal("first, second", Users(stage).Export("alice")!.Note);
        Assert.Equal(3, _store.Users.Count);
        var twice = await Users(stage).MergeAsync([("alice", user => user), ("alice", user => Noted(user, "again"))]);
        Assert.Equal(UserOutcome.Refused, twice.Outcome);

        static UserOptions Unsaid(UserOptions user)
        {
            user.Secret = null; // as a list has it that knows no secrets
            return user;
        }
    }

    [Fact]
    public async Task Another_reset_day_is_kept_although_nothing_moves()
    {
        var stage = NewStage();
        var quota = new QuotaOptions { Bytes = ByteSize.Of(5000), Period = "month", ResetDay = 1 };
        await Users(stage).AddAsync(new UserOptions { Name = "alice", Secret = Alice, Quota = quota });
        await Users(stage).EditAsync("alice", user =>
        {
            user.Quota!.Period = "day";
            return user;
        });
        Assert.True(await stage.Proxy.Services.Users.FlushAsync());
        var today = DateOnly.FromDateTime(DateTime.Today).DayNumber;
        Assert.InRange(_store.Usage[UsageKey.OfManaged("alice")].PeriodDay, today - 1, today + 1);
    }

    [Fact]
    public async Task A_former_secret_whose_time_is_over_goes_with_the_next_change_of_anybody()
    {
        var stage = NewStage(isTimed: true);
        await Users(stage).AddAsync(new UserOptions { Name = "alice", Secret = Alice });
        await Users(stage).RotateAsync("alice", TimeSpan.FromSeconds(60));
        stage.Advance(61);
        Assert.NotNull(Users(stage).Export("alice")!.PreviousSecret);
        Assert.Equal(UserOutcome.Unchanged, (await Users(stage).MergeAsync([])).Outcome);
        // It is in nobody's way, and that it goes is no news of who was not asked for.
        var change = await Users(stage).AddAsync(new UserOptions { Name = "bob", Secret = Alice });
        Assert.Equal("bob", Assert.Single(change.Added));
        Assert.Empty(change.Changed);
        Assert.DoesNotContain(_store.Users, user => user.Definition.Contains("previousSecret", StringComparison.Ordinal));
        Assert.Null(Users(stage).Export("alice")!.PreviousSecret);
        Assert.DoesNotContain(stage.Proxy.Settings.Listeners[0].Credentials, it => it.Until is not null);
    }

    [Fact]
    public async Task Whoever_has_handed_over_resets_nobody_and_keeps_nothing()
    {
        var stage = NewStage();
        await Users(stage).AddAsync(new UserOptions { Name = "alice", Secret = Alice });
        Assert.Equal(UserOutcome.Unknown, await Users(stage).ResetUsageAsync("nobody"));
        var (_, dc) = Relay(stage, Alice);
        dc.Peer.Send(new byte[1000]);
        stage.Run();
        Assert.Null(await stage.Proxy.Services.Users.HandOverAsync());
        Assert.Equal(UserOutcome.Stopping, await Users(stage).ResetUsageAsync("alice"));
        Assert.InRange(Users(stage).Usage(0).Users.Single(user => user.Name == "alice").UsedBytes, 1000, 2000);
    }

    [Fact]
    public async Task Who_saw_another_revision_changes_nothing()
    {
        var stage = NewStage();
        await Users(stage).AddAsync(new UserOptions { Name = "alice", Secret = Alice });
        Assert.Equal((UserOutcome.OtherRevision, 1), Told(await Users(stage).ReplaceAsync([], revision: 0)));
        Assert.Equal((UserOutcome.Applied, 2), Told(await Users(stage).ReplaceAsync([], revision: 1)));
    }

    [Fact]
    public async Task A_fresh_secret_with_grace_lets_both_in_and_without_it_ends_the_old_one()
    {
        var stage = NewStage();
        await Users(stage).AddAsync(new UserOptions { Name = "alice", Secret = Alice });
        Relay(stage, Alice);
        await Users(stage).RotateAsync("alice", TimeSpan.FromHours(1));
        stage.Run();
        Assert.Empty(stage.Metrics.Closed);
        var fresh = Users(stage).Export("alice")!;
        Assert.Equal(Alice, fresh.PreviousSecret);
        Relay(stage, fresh.Secret!);
        Relay(stage, Alice);

        await Users(stage).RotateAsync("alice", TimeSpan.Zero);
        stage.Run();
        Assert.Equal(3, stage.Metrics.Closed.Count());
        AssertIsStranger(stage, Alice);
        AssertIsStranger(stage, fresh.Secret!);
    }

    [Fact]
    public async Task Users_and_what_they_used_are_there_after_a_restart()
    {
        var stage = NewStage();
        await Users(stage).AddAsync(new UserOptions
        {
            Name = "alice",
            Secret = Alice,
            Quota = new QuotaOptions { Bytes = ByteSize.Of(5000), Period = "none" },
        });
        var (_, dc) = Relay(stage, Alice);
        dc.Peer.Send(new byte[2000]);
        stage.Run();
        var stopping = stage.Proxy.DisposeAsync().AsTask();
        while (!stopping.IsCompleted) stage.Run();
        await stopping;
        Assert.Equal(1, _store.CleanEnds);
        Assert.InRange(_store.Usage[new UsageKey("", "alice")].Sent, 2000, 2200);
        Assert.InRange(_store.Usage[UsageKey.Everybody].Sent, 2000, 2200);

        var next = NewStage();
        var (_, again) = Relay(next, Alice);
        again.Peer.Send(new byte[4000]);
        next.Run();
        next.Run();
        Assert.Equal(["user_quota (operator)"], next.Metrics.Closed);
        Assert.Equal(1, Users(next).Revision);
    }

    [Fact]
    public async Task What_cannot_be_kept_is_in_force_all_the_same_and_is_kept_when_it_can_be()
    {
        var stage = NewStage();
        _store.Failure = "the disk is full";
        var added = await Users(stage).AddAsync(new UserOptions { Name = "alice", Secret = Alice });
        Assert.Equal((UserOutcome.Applied, "the disk is full"), (added.Outcome, added.NotKept));
        Relay(stage, Alice);
        await Users(stage).EditAsync("alice", user => Noted(user, "x"));
        Assert.Equal("the disk is full", Users(stage).StorageProblem);
        Assert.Equal(2, stage.Metrics.Of("portico.storage.errors").Count());
        Assert.Single(stage.Log.Lines, line => line.Text.Contains("the disk is full", StringComparison.Ordinal)); // one line a minute

        _store.Failure = null;
        Assert.Equal(UserOutcome.Applied, await Users(stage).ResetUsageAsync("alice")); // keeps what was left
        Assert.Null(Users(stage).StorageProblem);
        Assert.Contains("\"note\":\"x\"", Assert.Single(_store.Users).Definition, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_kept_user_that_cannot_be_taken_over_is_left_out_and_named_and_the_others_come_in()
    {
        _store.SaveUsers(
            3,
            [
                new StoredUser("alice", $$"""{ "name": "alice", "secret": "{{Alice}}" }"""),
                new StoredUser("broken", "{"),
                new StoredUser("default", $$"""{ "name": "default", "secret": "{{Bob}}" }"""),
            ],
            []);
        var stage = NewStage();
        Relay(stage, Alice);
        AssertIsStranger(stage, Bob);
        var told = Assert.Single(stage.Log.Errors).Text;
        Assert.Contains("broken: cannot be read; default.name: ", told, StringComparison.Ordinal);
        await Users(stage).AddAsync(new UserOptions { Name = "carol" });
        Assert.Equal(4, Users(stage).Revision);

        // They stay until they are taken away, or a whole set says that there are no others.
        await Users(stage).MergeAsync([("carol", user => Noted(user, "x"))]);
        Assert.Equal(4, _store.Users.Count);
        Assert.Equal(UserOutcome.OtherRevision, (await Users(stage).RemoveAsync("broken", revision: 4)).Outcome);
        Assert.Equal(UserOutcome.Applied, (await Users(stage).RemoveAsync("broken", revision: 5)).Outcome);
        Assert.Equal(3, _store.Users.Count);
        await Users(stage).ReplaceAsync([new() { Name = "alice", Secret = Alice }]);
        Assert.Equal("alice", Assert.Single(_store.Users).Name);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(null)] // what it moved on would be nobody's
    public async Task A_session_ends_whose_secret_is_another_user_s_by_now(int? maxConnections)
    {
        var stage = NewStage();
        await Users(stage).AddAsync(new UserOptions { Name = "alice", Secret = Alice, MaxConnections = maxConnections });
        Relay(stage, Alice);
        await Users(stage).EditAsync("alice", user =>
        {
            user.Name = "alicia";
            return user;
        });
        stage.Run();
        Assert.Equal(["secret_removed (operator)"], stage.Metrics.Closed);
        Relay(stage, Alice);
    }

    [Fact]
    public async Task A_hand_over_waits_for_what_is_not_kept()
    {
        var stage = NewStage();
        _store.Failure = "the disk is full";
        await Users(stage).AddAsync(new UserOptions { Name = "alice", Secret = Alice });
        Assert.Equal("the disk is full", await stage.Proxy.Services.Users.HandOverAsync());
        _store.Failure = null;
        Assert.Null(await stage.Proxy.Services.Users.HandOverAsync());
    }

    [Fact]
    public async Task All_sessions_of_a_user_end_and_it_may_come_again()
    {
        var stage = NewStage();
        await Users(stage).AddAsync(new UserOptions { Name = "alice", Secret = Alice });
        Relay(stage, Alice);
        Relay(stage, Alice);
        stage.Relay();
        var ending = Users(stage).DisconnectAsync("alice");
        while (!ending.IsCompleted) stage.Run();
        Assert.Equal(2, await ending);
        stage.Run();
        Assert.Equal(["ended_by_operator (operator)", "ended_by_operator (operator)"], stage.Metrics.Closed);
        Relay(stage, Alice);
        Assert.Null(await Users(stage).DisconnectAsync("nobody"));
    }

    private static UserOptions Noted(UserOptions user, string note)
    {
        user.Note = note;
        return user;
    }

    private static (UserOutcome Outcome, long Revision) Told(UserChange change) => (change.Outcome, change.Revision);

    private static UserControl Users(Stage stage) => stage.Proxy.Control.ManagedUsers;

    private static (StageClient Client, StageDc Dc) Relay(Stage stage, string secret) =>
        stage.Relay(new ClientTraits { Secret = ProxySecret.Create(Convert.FromHexString(secret)) });

    private static void AssertIsStranger(Stage stage, string secret)
    {
        var client = stage.Call(new ClientTraits { Secret = ProxySecret.Create(Convert.FromHexString(secret)) });
        client.Peer.Send(client.Hello);
        stage.Run();
        Assert.False(client.HasFlight);
    }

    private Stage NewStage(bool isTimed = false)
    {
        var stage = new Stage(users: _store, isTimed: isTimed);
        _stages.Add(stage);
        return stage;
    }
}
