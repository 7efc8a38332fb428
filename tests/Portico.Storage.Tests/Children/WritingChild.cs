using System.Globalization;
using Portico.Core.Users;

namespace Portico.Storage.Tests.Children;

/// <summary>
/// Writes until it is killed. Each round, every counter grows by 1, and a user is added and one removed; the number of the round is said
/// once it is kept.
/// </summary>
internal static class WritingChild
{
    public const string Verb = "write";

    public const int Users = 300, Managed = 5;

    public static void Run(string directory)
    {
        using var store = new UserDatabase(directory, TimeZoneInfo.Utc, TimeProvider.System);
        var state = store.Load();
        var round = state.Usage.Count == 0 ? 0 : state.Usage[0].Received;
        while (true)
        {
            round++;
            store.SaveUsers(
                round, [new(Name(round), "{}")], round > Managed ? [Name(round - Managed)] : []);
            store.SaveUsage(
                [.. Enumerable.Range(0, Users).Select(i => new UsageRow(new("main", $"user-{i}"), round, 0, 0, 0, 0))],
                TimeProvider.System.GetUtcNow());
            Console.Out.WriteLine(round.ToString(CultureInfo.InvariantCulture));
            Console.Out.Flush();
        }
    }

    private static string Name(long round) => round.ToString(CultureInfo.InvariantCulture);
}
