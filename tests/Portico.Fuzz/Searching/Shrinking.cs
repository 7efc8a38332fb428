using System.Diagnostics;
using Portico.Fuzz.Checking;

namespace Portico.Fuzz.Searching;

/// <summary>Makes an input shorter and plainer as long as it fails in the same way: the rest is what a person has to look at.</summary>
internal static class Shrinking
{
    private static readonly TimeSpan LongEnough = TimeSpan.FromSeconds(3);

    public static string Describe(Exception problem) =>
        problem is ContractException ? problem.Message : $"throws {problem.GetType().Name}: {problem.Message}\n{FirstFrame(problem)}";

    public static byte[] Shorten(Target target, byte[] input, Exception problem, Ground ground)
    {
        var kind = Kind(problem);
        var clock = Stopwatch.StartNew();
        var best = input;
        for (var block = Math.Max(best.Length / 2, 1); block > 0; block /= 2)
        {
            for (var at = 0; at + block <= best.Length && clock.Elapsed < LongEnough;)
            {
                var shorter = Mutator.Spliced(best, at, block, []);
                if (Kind(Failure(target, shorter, ground)) == kind) best = shorter;
                else at += block;
            }
        }

        for (var at = 0; at < best.Length && clock.Elapsed < LongEnough; at++)
        {
            byte[] plainer = [.. best[..at], 0, .. best[(at + 1)..]];
            if (Kind(Failure(target, plainer, ground)) == kind) best = plainer;
        }

        return best;
    }

    private static Exception? Failure(Target target, byte[] input, Ground ground)
    {
        try
        {
            target.Check(input, ground);
            target.CheckThoroughly(input, ground);
            return null;
        }
        catch (Exception problem) // whatever a parser throws
        {
            return problem;
        }
    }

    // Numbers in a message differ from input to input.
    private static string? Kind(Exception? problem) =>
        problem is null ? null : problem.GetType().Name + string.Concat(problem.Message.Where(c => !char.IsAsciiDigit(c)));

    private static string FirstFrame(Exception problem) =>
        problem.StackTrace?.Split('\n').FirstOrDefault(line => line.Contains(" Portico.", StringComparison.Ordinal))?.Trim() ?? "";
}
