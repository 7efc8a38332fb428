using System.Collections.Immutable;
using System.Globalization;
using System.Net;

namespace Portico.Core.Background;

/// <summary>The running proxy that owns a data directory, as far as it can be told from outside.</summary>
/// <param name="ProcessId">Its number; null = not known.</param>
/// <param name="Endpoints">Where it listens; empty = not known, or not yet.</param>
public sealed record DataDirectoryHolder(int? ProcessId, ImmutableArray<IPEndPoint> Endpoints)
{
    private const string Process = DirectoryLock.ProcessWord, Listening = ", " + DirectoryLock.ListeningOn;

    /// <summary>Who owns <paramref name="directory"/>; null = nobody, or this user may not know.</summary>
    public static DataDirectoryHolder? Of(string directory)
    {
        // Only where a holder is written down is the lock touched, for an instant: a start at that instant would be refused.
        return DirectoryLock.HolderText(directory) is { } text && DirectoryLock.IsHeld(directory) ? Read(text) : null;
    }

    private static DataDirectoryHolder Read(string text)
    {
        if (!text.StartsWith(Process, StringComparison.Ordinal)) return new(null, []);
        var digits = text[Process.Length..].Split(',')[0];
        var id = int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : (int?)null;
        var at = text.IndexOf(Listening, StringComparison.Ordinal);
        if (at < 0) return new(id, []);
        var endpoints = text[(at + Listening.Length)..].Split(", ")
            .Select(one => IPEndPoint.TryParse(one, out var endpoint) ? endpoint : null).OfType<IPEndPoint>();
        return new(id, [.. endpoints]);
    }
}
