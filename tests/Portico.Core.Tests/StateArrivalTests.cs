using Portico.Core.Background;
using Xunit;

namespace Portico.Core.Tests;

/// <summary>State from another machine comes whole or not at all.</summary>
public sealed class StateArrivalTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("portico-test-");

    private string Data => Path.Combine(_root.FullName, "data");

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public void What_is_placed_and_kept_is_there_and_marked_as_a_copy()
    {
        using (var arrival = Begin())
        {
            arrival.Receive("clients-seen.1", DateTimeOffset.UnixEpoch.AddDays(1), file => file.Write("x"u8));
            Assert.Equal(["import.partial", "lock"], Names().Except(["holder"]));
            arrival.Place();
            arrival.Keep();
        }

        Assert.Equal(["clients-seen.1", "copied", "lock"], Names());
        Assert.Equal(DateTime.UnixEpoch.AddDays(1), File.GetLastWriteTimeUtc(Path.Combine(Data, "clients-seen.1")));
        Assert.False(DirectoryLock.IsHeld(Data));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_not_kept_leaves_no_trace_not_even_a_directory(bool isPlaced)
    {
        using (var arrival = Begin())
        {
            arrival.Receive("version", DateTimeOffset.UnixEpoch, file => file.Write("1\n"u8));
            arrival.Receive("clients-seen.1", DateTimeOffset.UnixEpoch, file => file.Write("x"u8));
            if (isPlaced) arrival.Place();
        }

        Assert.Empty(_root.GetFileSystemInfos());
    }

    [Fact]
    public void A_directory_that_was_there_stays_with_what_else_was_in_it()
    {
        Directory.CreateDirectory(Data);
        File.WriteAllText(Path.Combine(Data, "proxy-secret"), "of Telegram");
        Begin().Dispose();
        Assert.Equal(["lock", "proxy-secret"], Names());
    }

    [Fact]
    public void What_a_kill_left_of_an_import_is_no_hindrance()
    {
        Directory.CreateDirectory(Path.Combine(Data, "import.partial"));
        File.WriteAllText(Path.Combine(Data, "import.partial", "clients-seen.1"), "half");
        using var arrival = Begin();
        arrival.Receive("clients-seen.1", DateTimeOffset.UnixEpoch, file => file.Write("x"u8));
        arrival.Place();
        Assert.Equal("x", File.ReadAllText(Path.Combine(Data, "clients-seen.1")));
    }

    [Fact]
    public void Nobody_starts_with_half_of_it_and_nothing_arrives_where_somebody_runs()
    {
        using (Begin())
        {
            Assert.Null(StateArrival.TryBegin(Data, out var problem));
            Assert.Contains("belongs to another running Portico", problem, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("clients-seen.1")]
    [InlineData("unset-clock-seen.7")]
    [InlineData("policy-tables.json")]
    [InlineData("cover-flights.json")]
    public void What_a_proxy_has_kept_is_not_replaced(string name)
    {
        Directory.CreateDirectory(Data);
        File.WriteAllText(Path.Combine(Data, name), "kept");
        Assert.Null(StateArrival.TryBegin(Data, out var problem));
        Assert.Contains($"holds what a proxy has kept ({name})", problem, StringComparison.Ordinal);
        Assert.Equal("kept", File.ReadAllText(Path.Combine(Data, name)));
    }

    [Fact]
    public void A_directory_that_a_newer_proxy_has_is_left_alone()
    {
        Directory.CreateDirectory(Data);
        File.WriteAllText(Path.Combine(Data, "version"), "2\n");
        Assert.Null(StateArrival.TryBegin(Data, out var problem));
        Assert.Contains("is of version 2", problem, StringComparison.Ordinal);
        Assert.Equal("2\n", File.ReadAllText(Path.Combine(Data, "version")));
    }

    [Theory]
    [InlineData("lock")]
    [InlineData("running")]
    [InlineData("copied")]
    [InlineData("clients-seen")]
    [InlineData("clients-seen.")]
    [InlineData("clients-seen.01")]
    [InlineData("clients-seen.-1")]
    [InlineData("clients-seen.99999999999")]
    [InlineData("clients-seen.1/../x")]
    [InlineData("../clients-seen.1")]
    [InlineData("proxy-secret")]
    [InlineData("")]
    public void Only_what_cannot_be_had_anew_moves(string name)
    {
        Assert.False(StateFiles.IsOne(name));
        using var arrival = Begin();
        Assert.Throws<ArgumentException>(() => arrival.Receive(name, DateTimeOffset.UnixEpoch, _ => { }));
    }

    private StateArrival Begin() => StateArrival.TryBegin(Data, out _) ?? throw new InvalidOperationException("not free");

    private string[] Names() =>
        [.. Directory.GetFileSystemEntries(Data).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
}
