using System.Globalization;
using Portico.Core.Admission.Policy;
using Portico.Core.Admission.Replay;
using Portico.Core.Background;
using Portico.Core.Cover.Learning;

namespace Portico.Core;

/// <summary>
/// The files of a data directory that go along when a proxy moves: what cannot be had anew elsewhere. Not what Telegram gives to everybody,
/// and not the marks of a running process.
/// </summary>
public static class StateFiles
{
    /// <summary>
    /// Managed users, usage and history: a database, which cannot be copied as a file while a proxy runs with it.
    /// </summary>
    public const string UserDatabase = "users.db";

    private static readonly string[] Single =
        [DataDirectoryVersion.Name, KeptTables.FileName, FlightCache.FileName, UserDatabase];

    // There is room for those to come.
    private const int MostNumber = 1_000_000_000;

    private static readonly string[] Numbered = [ReplayFiles.SeenName, ReplayFiles.UnsetClockName];

    /// <summary>Whether a file is one of them, by its name.</summary>
    public static bool IsOne(string name) => Single.Contains(name, StringComparer.Ordinal) || HoldsClients(name);

    /// <summary>Whether a file holds what was seen of clients, by its name.</summary>
    public static bool HoldsClients(string name) => Numbered.Any(series => IsOf(series, name));

    /// <summary>The names of those in a directory, in order; none, if it is not there.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not read it.</exception>
    public static IReadOnlyList<string> In(string directory) => !Directory.Exists(directory) ? []
        : [.. Directory.EnumerateFiles(directory).Select(path => Path.GetFileName(path)).Where(IsOne).Order(StringComparer.Ordinal)];

    // "clients-seen.12", and no other way to write it.
    private static bool IsOf(string series, string name)
    {
        if (!name.StartsWith(series + ".", StringComparison.Ordinal)) return false;
        var digits = name[(series.Length + 1)..];
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number is > 0 and < MostNumber && number.ToString(CultureInfo.InvariantCulture) == digits;
    }
}
