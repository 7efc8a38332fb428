using System.Globalization;
using System.Security.Cryptography;
using Portico.Core.Users;
using Xunit;

namespace Portico.Storage.Tests.Children;

/// <summary>A process that is killed while it writes loses what it had not yet kept, and nothing else.</summary>
public sealed class KillTests
{
    private const int Kills = 25;

    // Twice, beside each other: most of the time a process takes its time to start.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task The_file_opens_after_every_kill_and_nothing_was_counted_twice(int lane)
    {
        using var file = new FileUnderTest();
        var (epochs, round) = (new HashSet<string>(), 0L);
        for (var kill = 0; kill < Kills; kill++)
        {
            var said = await WriteAndKillAsync(file.Directory);
            using var store = new UserDatabase(file.Directory, TimeZoneInfo.Utc, TimeProvider.System);

            var state = store.Load();

            // One round may have been kept and not said.
            var kept = Assert.Single(state.Usage.Select(row => row.Received).Distinct());
            Assert.InRange(kept, Math.Max(said, round + 1), said + 1);
            Assert.InRange(state.Revision, kept, kept + 1);
            Assert.Equal((int)Math.Min(state.Revision, WritingChild.Managed), state.Users.Count);
            Assert.Equal(WritingChild.Users, state.Usage.Count);
            Assert.Equal(kept, store.History(new UsageKey("main", $"user-{kill}")).Days.Sum(day => day.Received));
            Assert.True(epochs.Add(state.Epoch));
            Assert.Null(store.Remark);
            round = kept;
        }

        Assert.True(round > Kills, $"lane {lane} wrote nothing");
    }

    // The number of the last round that the child said it had kept.
    private static async Task<long> WriteAndKillAsync(string directory)
    {
        using var child = Child.Start(Child.Command(WritingChild.Verb, directory));
        var said = await child.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("the child ended by itself");
        var rest = child.StandardOutput.ReadToEndAsync();
        await Task.Delay(RandomNumberGenerator.GetInt32(40));
        child.Kill();
        await child.WaitForExitAsync();

        // The last line may be half of one.
        var lines = (await rest).Split('\n');
        return long.Parse(lines.Length > 1 ? lines[^2] : said, CultureInfo.InvariantCulture);
    }
}
