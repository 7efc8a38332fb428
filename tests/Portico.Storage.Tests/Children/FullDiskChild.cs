using Portico.Core.Users;

namespace Portico.Storage.Tests.Children;

/// <summary>Fills the disk of a directory, goes on, and makes room again. Says what happens.</summary>
internal static class FullDiskChild
{
    public const string Verb = "fill";

    public static void Run(string directory)
    {
        var ballast = Path.Combine(directory, "ballast");
        var now = TimeProvider.System.GetUtcNow();
        using (var store = Store())
        {
            store.Load();
            store.SaveUsers(1, [new("alice", "{}")], []);
            store.SaveUsage(Rows(1), now);
            Fill(ballast);
            for (var round = 2; round < 5; round++)
                Try(() => store.SaveUsage(Rows(round), now));
            var many = Enumerable.Range(0, 1000).Select(i => new StoredUser($"user-{i}", new string('d', 1000)));
            Try(() => store.SaveUsers(2, [.. many], []));
            Console.WriteLine($"history {store.History(UsageKey.Everybody).Days.Sum(day => day.Received)}");
            File.Delete(ballast);
            Try(() => store.SaveUsage(Rows(5), now));
            Console.WriteLine($"history {store.History(UsageKey.Everybody).Days.Sum(day => day.Received)}");
            store.MarkClean();
        }

        Fill(ballast);
        using (var store = Store())
        {
            Try(() => Console.WriteLine($"users {store.Load().Users.Count}"));
            File.Delete(ballast);
            Try(() => Console.WriteLine($"users {store.Load().Users.Count}"));
            Try(() => store.SaveUsage(Rows(6), now));
        }

        UserDatabase Store() => new(directory, TimeZoneInfo.Utc, TimeProvider.System);
    }

    private static List<UsageRow> Rows(int round) =>
        [.. Enumerable.Range(0, 2000 * round).Select(i => new UsageRow(new("main", $"user-{i}"), round, 0, 0, 0, 0)),
            new UsageRow(UsageKey.Everybody, round, 0, 0, 0, 0)];

    private static void Try(Action call)
    {
        try
        {
            call();
            Console.WriteLine("done");
        }
        catch (StoreException problem)
        {
            Console.WriteLine(problem.Message);
        }
    }

    private static void Fill(string path)
    {
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        foreach (var size in (int[])[65536, 4096, 1])
        {
            try
            {
                while (true) file.Write(new byte[size]);
            }
            catch (IOException)
            {
                // There is no room for so much.
            }
        }
    }
}
