using System.Diagnostics;
using System.Numerics;
using Portico.Fuzz.Checking;

namespace Portico.Fuzz.Searching;

/// <summary>
/// Mutates the inputs it knows and keeps those on which a parser shows something new:
/// another status or reason, another place where it made up its mind, another shape of the result.
/// That signal needs no instrumented code and is enough to get from a vector to each of the parser's checks.
/// </summary>
internal sealed class Search(Target target, ulong seed, TimeSpan patience)
{
    private const int LargestPool = 4096;

    // Every prefix of an input is tried for those that show something new, and for one in this many of the others.
    private const int ThoroughEvery = 32;

    private readonly SplitMix _random = new(seed);
    private readonly List<byte[]> _pool = [];
    private readonly HashSet<(Outcome, int)> _seen = [];
    private byte[] _current = [];
    private int _tried;

    /// <summary>Longer than any input takes, even on a machine that is busy.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(15);

    /// <summary>Inputs tried so far.</summary>
    public int Tried => Volatile.Read(ref _tried);

    /// <summary>The input tried last.</summary>
    public byte[] Last => Volatile.Read(ref _current);

    private string Trace => Path.Combine(AppContext.BaseDirectory, $"unfinished-search-of-{target.Name}-{seed}.txt");

    /// <summary>Searches until the time or the number of inputs is used up, or something is found.</summary>
    public Finding? Run(TimeSpan budget, int mostInputs = int.MaxValue)
    {
        Finding? found = null;
        // A thread of its own, because a parser that never comes back can only be left behind.
        var worker = new Thread(() => found = RunHere(budget, mostInputs)) { IsBackground = true, Name = target.Name };
        // A protected page ends the process without a word; this stays behind then.
        File.WriteAllText(Trace, Finding.SearchCommand(target, seed));
        worker.Start();
        for (var before = -1; found is null && !worker.Join(patience); before = Tried)
        {
            if (before == Tried)
                found = new Finding(target, seed, before, Last, $"does not come to an end within {patience.TotalSeconds} s");
        }

        File.Delete(Trace);
        return found;
    }

    private Finding? RunHere(TimeSpan budget, int mostInputs)
    {
        using var ground = new Ground(_random);
        var clock = Stopwatch.StartNew();
        foreach (var known in Corpus.Of(target).Select(item => item.Bytes).Append([]))
        {
            if (Try(known, ground, mustKeep: true) is { } finding) return finding;
        }

        var mutator = new Mutator(target, _random);
        while (clock.Elapsed < budget && _tried < mostInputs)
        {
            if (Try(mutator.Mutate(_pool), ground) is { } finding) return finding;
        }

        return null;
    }

    private Finding? Try(byte[] input, Ground ground, bool mustKeep = false)
    {
        Volatile.Write(ref _current, input);
        Interlocked.Increment(ref _tried);
        try
        {
            var (outcome, decidedAt) = target.Check(input, ground);
            // Exact where headers are, rough in bodies: otherwise every input would be news.
            var sign = outcome with { Consumed = Rough(outcome.Consumed), Result = 0 };
            var isNew = _seen.Add((sign, decidedAt <= 64 ? decidedAt : 64 + Rough(decidedAt)));
            if (isNew || _random.OneIn(ThoroughEvery)) target.CheckThoroughly(input, ground);
            if ((isNew && _pool.Count < LargestPool) || mustKeep) _pool.Add(input);
            return null;
        }
        catch (Exception problem) // whatever a parser throws is what we are looking for
        {
            var shortest = Shrinking.Shorten(target, input, problem, ground);
            return new Finding(target, seed, _tried, shortest, Shrinking.Describe(problem));
        }
    }

    private static int Rough(int length) => BitOperations.Log2((uint)length + 1);
}
