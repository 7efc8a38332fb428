using System.Globalization;
using Portico.Core.Options;

namespace Portico.Doctor.Checks;

/// <summary>Somebody who tells the time.</summary>
/// <param name="Name">For the table.</param>
/// <param name="AskAsync">The time, in whole seconds, cut off; null = no answer.</param>
internal sealed record TimeSource(string Name, Func<CancellationToken, Task<DateTimeOffset?>> AskAsync);

/// <summary>
/// Does this machine's clock agree with others'? Hellos carry their time, and one that is outside the window is refused: so a server whose
/// clock is behind takes all of them for signed in the future, one that is ahead for old.
/// </summary>
internal sealed class ClockCheck(TimeWindowSettings window, IReadOnlyList<TimeSource> sources, TimeProvider time) : ICheck
{
    private const string Cure =
        "set the clock: `timedatectl set-ntp true`, or start chrony or ntpd; in a container or virtual machine, on its host";

    // Beyond this, phones whose own clocks are a little off begin to fall out of the window.
    private static readonly TimeSpan Noticeable = TimeSpan.FromSeconds(30);

    public string Name => "clock";

    public async Task<IReadOnlyList<Finding>> RunAsync(CancellationToken stop)
    {
        if (sources.Count == 0)
            return [Diagnoses.Offline.Found("not compared: nobody on this machine tells the time")];
        var offsets = (await Task.WhenAll(sources.Select(source => OffsetAsync(source, stop)))).OfType<TimeSpan>().Order().ToArray();
        if (offsets.Length == 0)
        {
            return
            [
                Diagnoses.ClockUnknown.Found(
                    $"not compared: none of {string.Join(", ", sources.Select(source => source.Name))} told the time",
                    "see `timedatectl`: \"System clock synchronized: yes\""),
            ];
        }

        // Of two, the one that agrees with this machine better: one that is wrong must not decide.
        var (lower, upper) = (offsets[(offsets.Length - 1) / 2], offsets[offsets.Length / 2]);
        return [Judge(lower.Duration() < upper.Duration() ? lower : upper, offsets.Length)];
    }

    private Finding Judge(TimeSpan ahead, int count)
    {
        var seconds = Math.Abs(ahead.TotalSeconds).ToString("0", CultureInfo.InvariantCulture);
        var by = $"this machine's clock is {seconds} s {(ahead > TimeSpan.Zero ? "ahead" : "behind")} ({Sources(count)})";
        if (window.Enabled && -ahead > TimeSpan.FromSeconds(window.FutureSeconds))
            return Diagnoses.ClockBehind.Found($"{by}: every hello seems to come from the future, so every client is refused", Cure);
        if (window.Enabled && ahead > TimeSpan.FromSeconds(window.PastSeconds))
            return Diagnoses.ClockAhead.Found($"{by}: every hello seems too old, so every client is refused", Cure);
        return ahead.Duration() > Noticeable
            ? Diagnoses.ClockOff.Found($"{by}: clients whose own clocks are off as well are refused", Cure)
            : Diagnoses.ClockRight.Found($"within {Math.Max(1, Math.Ceiling(ahead.Duration().TotalSeconds))} s of {Sources(count)}");
    }

    private static string Sources(int count) => count == 1 ? "one other" : $"the median of {count} others";

    // In the middle between question and answer; a time without fractions is half a second more, in the mean.
    private async Task<TimeSpan?> OffsetAsync(TimeSource source, CancellationToken stop)
    {
        var (asked, began) = (time.GetUtcNow(), time.GetTimestamp());
        if (await source.AskAsync(stop) is not { } told) return null;
        return asked + (time.GetElapsedTime(began) / 2) - (told + TimeSpan.FromSeconds(0.5));
    }
}
