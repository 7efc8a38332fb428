using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Portico.Core.Background;

namespace Portico.Core.Admission.Replay;

/// <summary>
/// Hellos that are refused for the time they were signed at: an earlier process, or the original of a copied directory, may have let them
/// in, and nothing is known of it. Each span lasts until what was signed in it is too old anyway; over restarts, orderly ones too, which
/// would open it otherwise.
/// </summary>
internal sealed class RefusedHellos
{
    public const string Name = "refused";

    // Starts in a row that were no orderly ones. With more, the oldest become one.
    private const int Most = 8;

    private const int MostBytes = 1024;

    private ImmutableArray<Span> _spans = [];

    /// <summary>One span, in Unix seconds.</summary>
    /// <param name="From">The earliest.</param>
    /// <param name="Before">One after the latest.</param>
    /// <param name="Until">So long it is refused.</param>
    private readonly record struct Span(long From, long Before, long Until);

    /// <summary>What was in force when the last process ended.</summary>
    /// <param name="directory">Data directory.</param>
    /// <param name="unixSeconds">The present.</param>
    /// <param name="longest">No span lasts longer, in seconds.</param>
    public static RefusedHellos Read(string directory, long unixSeconds, long longest)
    {
        var refused = new RefusedHellos();
        if (!new FileCache(directory).TryRead(Name, MostBytes, out var body, out _)) return refused;
        foreach (var line in Encoding.UTF8.GetString(body).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            // A clock that went back must not make it last for ever.
            if (line.Split(' ').Select(Number).ToList() is [{ } from, { } before, { } until] && until >= unixSeconds)
                refused.Add(from, before, Math.Min(until, unixSeconds + longest));
        }

        return refused;
    }

    /// <summary>Seconds for which hellos are refused yet; 0 = none is.</summary>
    public long SecondsLeft(long unixSeconds) => _spans.Select(span => span.Until - unixSeconds).Append(0).Max();

    /// <summary>One more span.</summary>
    /// <param name="from">The earliest time of signing; 0 = any.</param>
    /// <param name="before">One after the latest.</param>
    /// <param name="until">So long it is refused.</param>
    public void Add(long from, long before, long until)
    {
        _spans = _spans.Add(new(from, before, until));
        if (_spans.Length <= Most) return;
        var (one, other) = (_spans[0], _spans[1]);
        var both = new Span(Math.Min(one.From, other.From), Math.Max(one.Before, other.Before), Math.Max(one.Until, other.Until));
        _spans = [both, .. _spans[2..]];
    }

    /// <summary>Whether a hello is refused. Asked on every loop for each client.</summary>
    public bool Contains(uint timestamp, long unixSeconds)
    {
        foreach (var span in _spans)
        {
            if (timestamp >= span.From && timestamp < span.Before && unixSeconds <= span.Until)
                return true;
        }

        return false;
    }

    /// <summary>Keeps what is in force.</summary>
    /// <returns>Null, or why it could not be kept.</returns>
    public string? Keep(string directory)
    {
        if (_spans.IsEmpty) return KeptFile.Remove(directory, Name);
        var lines = _spans.Select(span => string.Create(CultureInfo.InvariantCulture, $"{span.From} {span.Before} {span.Until}\n"));
        return KeptFile.Replace(directory, Name, file => file.Write(Encoding.UTF8.GetBytes(string.Concat(lines))), isDurable: false);
    }

    private static long? Number(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
