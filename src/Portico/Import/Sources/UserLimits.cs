using System.Globalization;

namespace Portico.Import.Sources;

/// <summary>What is said of limits of users, which this version has not, and how dates of theirs are read.</summary>
internal static class UserLimits
{
    /// <summary>Of limits.</summary>
    public const string None = "users have no such limit in this version: the links work without it; see policy for limits by address";

    /// <summary>Of an end.</summary>
    public const string Expiry = "a user whose date is over is written with `enabled: false`; one whose date is to come does not end by "
        + "itself";

    /// <summary>Whether a date is over; null if it is none.</summary>
    /// <param name="text">As the other proxy writes it.</param>
    /// <param name="format">Its format; null = as computers write dates.</param>
    public static bool? IsOver(string text, string? format)
    {
        var style = DateTimeStyles.AssumeUniversal;
        var isDate = format is null
            ? DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, style, out var end)
            : DateTimeOffset.TryParseExact(text, format, CultureInfo.InvariantCulture, style, out end);
        return isDate ? end <= TimeProvider.System.GetUtcNow() : null;
    }
}
