using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Portico.Core.Background;

namespace Portico.Core.Admission.Replay;

/// <summary>
/// Hellos that are refused for the time they were signed at: an earlier process, or the original of a copied directory, may have let them
/// in, and nothing is known of it. Each span lasts until what was signed in it is too old anyway, by the window of the day; over restarts,
/// orderly ones too, which would open it otherwise.
/// </summary>
internal sealed class RefusedHellos
{
    public const string Name = "refused";

    // Starts in a row that were no orderly ones. With more, the oldest become one.
    private const int Most = 8;

    private const int MostBytes = 1024;

    private ImmutableArray<Span> _spans = [];

    private readonly long _lasts;

    /// <param name="lasts">Seconds from a span's end for which it is refused: the reach of the window into the past.</param>
    public RefusedHellos(long lasts) => _lasts = lasts;

    /// <summary>One span, in Unix seconds.</summary>
    /// <param name="From">The earliest.</param>
    /// <param name="Before">One after the latest.</param>
    private readonly record struct Span(long From, long Before);

    /// <summary>What was in force when the last process ended.</summary>
    /// <param name="directory">Data directory.</param>
    /// <param name="unixSeconds">The present.</param>
    /// <param name="lasts">See above.</param>
    public static RefusedHellos Read(string directory, long unixSeconds, long lasts)
    {
        var refused = new RefusedHellos(lasts);
        if (!Path.Exists(Path.Combine(directory, Name))) return refused;
        var isRead = new FileCache(directory).TryRead(Name, MostBytes, out var body, out _);
        var lines = isRead ? Encoding.UTF8.GetString(body).Split('\n', StringSplitOptions.RemoveEmptyEntries) : [];
        foreach (var line in lines)
        {
            if (line.Split(' ').Select(Number).ToList() is not [{ } from, { } before])
                isRead = false;
            // A clock that went back must not make it last for ever.
            else if (before + lasts >= unixSeconds)
                refused.Add(from, Math.Min(before, unixSeconds + 1));
        }

        // There was something, and it is not known what.
        if (!isRead || lines.Length == 0) refused.Add(0, unixSeconds + 1);
        return refused;
    }

    /// <summary>Seconds for which hellos are refused yet; 0 = none is.</summary>
    public long SecondsLeft(long unixSeconds) => _spans.Select(span => span.Before + _lasts - unixSeconds).Append(0).Max();

    /// <summary>One more span.</summary>
    /// <param name="from">The earliest time of signing; 0 = any.</param>
    /// <param name="before">One after the latest.</param>
    public void Add(long from, long before)
    {
        _spans = _spans.Add(new(from, before));
        if (_spans.Length <= Most) return;
        var (one, other) = (_spans[0], _spans[1]);
        _spans = [new(Math.Min(one.From, other.From), Math.Max(one.Before, other.Before)), .. _spans[2..]];
    }

    /// <summary>Whether a hello is refused. Asked on every loop for each client.</summary>
    public bool Contains(uint timestamp, long unixSeconds)
    {
        foreach (var span in _spans)
        {
            if (timestamp >= span.From && timestamp < span.Before && unixSeconds <= span.Before + _lasts)
                return true;
        }

        return false;
    }

    /// <summary>Keeps what is in force.</summary>
    /// <param name="directory">Data directory.</param>
    /// <param name="isDurable">The disk has it when this returns.</param>
    /// <returns>Null, or why it could not be kept.</returns>
    public string? Keep(string directory, bool isDurable)
    {
        if (_spans.IsEmpty) return KeptFile.Remove(directory, Name);
        var lines = _spans.Select(span => string.Create(CultureInfo.InvariantCulture, $"{span.From} {span.Before}\n"));
        return KeptFile.Replace(directory, Name, string.Concat(lines), isDurable);
    }

    private static long? Number(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
