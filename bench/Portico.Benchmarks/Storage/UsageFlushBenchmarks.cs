using BenchmarkDotNet.Attributes;
using Portico.Core.Users;
using Portico.Storage;

namespace Portico.Benchmarks.Storage;

/// <summary>What it costs to keep the counters of ten thousand users that changed since the last time (docs/adr/0016-sqlite.md).</summary>
public class UsageFlushBenchmarks
{
    private const int Changed = 10_000;

    private readonly string _directory = Directory.CreateTempSubdirectory("portico-").FullName;
    private DateTimeOffset _now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private UserDatabase _store = null!;
    private UsageRow[] _rows = [];
    private long _bytes = 1L << 33;

    /// <summary>Of so many users, evenly spread.</summary>
    [Params(Changed, 10 * Changed)]
    public int Users { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        _store = new UserDatabase(_directory, TimeZoneInfo.Utc, TimeProvider.System);
        _store.Load();
        _store.SaveUsage([.. Enumerable.Range(0, Users).Select(Row)], _now);
        _rows = [.. Enumerable.Range(0, Changed).Select(i => Row(i * (Users / Changed)))];
    }

    [GlobalCleanup]
    public void Remove()
    {
        _store.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Benchmark(Baseline = true)]
    public void Flush()
    {
        _bytes += 1_000_000;
        for (var i = 0; i < _rows.Length; i++) _rows[i] = _rows[i] with { Received = _bytes, Sent = 3 * _bytes };
        _store.SaveUsage(_rows, _now);
    }

    [Benchmark]
    public void FirstFlushOfAnHour()
    {
        _now = _now.AddHours(1);
        Flush();
    }

    private static UsageRow Row(int number) => new(new UsageKey("main", $"user-{number:d6}"), 1, 1, 739_000, 1, 1_790_000_000);
}
