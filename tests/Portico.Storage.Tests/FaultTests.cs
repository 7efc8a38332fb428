using Portico.Core.Users;
using Portico.Storage.Sqlite;
using Xunit;
using static Portico.Storage.Tests.FileUnderTest;

namespace Portico.Storage.Tests;

/// <summary>What the disk and other people do: a sentence, nothing kept of the call, and the same call works once it is over.</summary>
public sealed class FaultTests : IDisposable
{
    private readonly FileUnderTest _file = new();

    public void Dispose() => _file.Dispose();

    [Fact]
    public void A_file_that_somebody_locks_is_written_once_it_is_free()
    {
        var store = Fill();
        using (var other = Connection.Open(_file.Path, TimeSpan.Zero))
        {
            other.Transact(() =>
            {
                var why = _file.Refused(() => Save(store, 2));
                Assert.EndsWith("is locked by another process; end that one", why, StringComparison.Ordinal);
                _file.Refused(() => store.SaveUsers(2, [], ["alice"]));
                Assert.Single(store.History(new("", "alice")).Hours);
            });
        }

        Save(store, 2);
        var state = _file.Reload();
        Assert.Equal((1, 2), (state.Revision, Assert.Single(state.Usage).Received));
    }

    [Fact]
    public void A_file_that_somebody_locks_at_the_start_is_read_by_a_second_call()
    {
        Fill();
        var store = _file.Open();
        using (var other = Connection.Open(_file.Path, TimeSpan.Zero))
        {
            other.Transact(() => _file.Refused(() => store.Load()));
        }

        // What was counted meanwhile must not replace what nobody has read.
        Assert.Contains("as it was not read: ", _file.Refused(() => Save(store, 1)), StringComparison.Ordinal);
        Assert.Single(store.Load().Users);
    }

    [Fact]
    public void A_place_that_cannot_be_written_to_is_named()
    {
        _file.Close();
        var file = Path.Combine(_file.Directory, "file");
        File.WriteAllText(file, "");
        using var store = new UserDatabase(Path.Combine(file, "below"), TimeZoneInfo.Utc, _file.Clock);
        store.Load();

        var why = Assert.Throws<StoreException>(() => store.SaveUsers(1, [new("alice", "{}")], [])).Message;

        Assert.StartsWith(Path.Combine(file, "below", "users.db"), why, StringComparison.Ordinal);
    }

    private UserDatabase Fill()
    {
        var store = _file.Loaded(out _);
        store.SaveUsers(1, [new("alice", "{}")], []);
        Save(store, 1);
        return store;
    }

    private void Save(UserDatabase store, long received) => store.SaveUsage([Row("alice", received, 0)], _file.Clock.GetUtcNow());
}
