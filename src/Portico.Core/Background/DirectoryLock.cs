using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Portico.Core.Background;

/// <summary>
/// One running proxy owns a data directory. Two would take each other's memory of hellos away, and then recorded ones work again. The lock
/// belongs to the open file, so the end of its process, however it comes, gives it back.
/// </summary>
internal sealed partial class DirectoryLock : IDisposable
{
    /// <summary>The file that is locked. It is empty and stays where it is.</summary>
    public const string Name = "lock";

    /// <summary>Who holds the lock, for messages; means nothing while it is free.</summary>
    public const string HolderName = "holder";

    /// <summary>Words of what a holder writes down, for those who read it.</summary>
    internal const string ProcessWord = "process ", ListeningOn = "listening on ";

    private static readonly TimeSpan HolderPatience = TimeSpan.FromSeconds(1);

    // What the systems call it when a lock is held: EWOULDBLOCK of Linux and of macOS, ERROR_SHARING_VIOLATION.
    private static readonly int[] Held = [11, 35, unchecked((int)0x80070020)];

    private readonly string _directory;
    private readonly FileStream _file;
    private readonly bool _madeDirectory;

    private DirectoryLock(string directory, FileStream file, bool madeDirectory) =>
        (_directory, _file, _madeDirectory) = (directory, file, madeDirectory);

    /// <summary>Takes the lock, before anything in the directory is read.</summary>
    /// <param name="directory">Made if it is not there; empty = nothing is kept, so there is nothing to lock.</param>
    /// <param name="log">Is told if the directory cannot be locked. Then nothing can be written into it either.</param>
    /// <param name="waits">For the name of a holder who has just begun, a second at most; not where it is tried again and again.</param>
    /// <returns>Null if there is no lock to hold.</returns>
    /// <exception cref="DataDirectoryInUseException">Another process holds it.</exception>
    public static DirectoryLock? Take(string directory, ILogger log, bool waits = true)
    {
        if (directory.Length == 0) return null;
        try
        {
            var isNew = !Directory.Exists(directory);
            KeptFile.MakeDirectory(directory);
            var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            var taken = new DirectoryLock(directory, new FileStream(Path.Combine(directory, Name), options), isNew);
            taken.Tell("starting");
            return taken;
        }
        catch (IOException problem) when (Held.Contains(problem.HResult))
        {
            throw new DataDirectoryInUseException(
                $"the data directory {directory} belongs to {HolderOf(directory, waits)}; "
                    + "stop that one, or give this one a dataDirectory of its own");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            Log.NotLocked(
                log, directory,
                problem is UnauthorizedAccessException ? "permission denied" : problem.Message.ReplaceLineEndings(" "));
            return null;
        }
    }

    /// <summary>Whether a process, this one included, holds the lock of a directory; false too where this user may not know.</summary>
    public static bool IsHeld(string directory)
    {
        try
        {
            new FileStream(Path.Combine(directory, Name), FileMode.Open, FileAccess.Read, FileShare.None).Dispose();
            return false;
        }
        catch (IOException problem) when (Held.Contains(problem.HResult))
        {
            return true;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Writes down where this process listens.</summary>
    public void Listening(IEnumerable<IPEndPoint> endpoints) => Tell($"{ListeningOn}{string.Join(", ", endpoints)}");

    /// <summary>A start that failed: a directory that was made for it goes again.</summary>
    public void Undo()
    {
        if (_madeDirectory)
        {
            foreach (var name in (string[])[HolderName, DataDirectoryVersion.Name, Name]) _ = KeptFile.Remove(_directory, name);
            _ = KeptFile.RemoveEmptyDirectory(_directory);
        }

        Dispose();
    }

    /// <summary>Gives it back.</summary>
    public void Dispose()
    {
        _ = KeptFile.Remove(_directory, HolderName);
        _file.Dispose();
    }

    // A holder that cannot be written down is missing from a message, which comes a second later, and that is all. No disk need have it:
    // the lock does not outlive the machine.
    private void Tell(string state) => _ = KeptFile.Replace(
        _directory, HolderName, string.Create(CultureInfo.InvariantCulture, $"{ProcessWord}{Environment.ProcessId}, {state}\n"),
        isDurable: false);

    /// <summary>What the holder of a directory wrote down; null = nothing is there.</summary>
    internal static string? HolderText(string directory)
    {
        const int Limit = 4096;
        return new FileCache(directory).TryRead(HolderName, Limit, out var body, out _) ? Encoding.UTF8.GetString(body).Trim() : null;
    }

    // A holder locks first and writes down who it is then, so of two that start at once the other may look in between. What a killed one
    // has left behind may be read in that moment too: it names the wrong process, of a directory that is in use all the same.
    private static string HolderOf(string directory, bool waits)
    {
        string? text = null;
        return SpinWait.SpinUntil(() => (text = HolderText(directory)) is { Length: > 0 }, waits ? HolderPatience : TimeSpan.Zero)
            ? $"another running Portico ({text})"
            : "another running process";
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1501, EventName = "NotLocked", Level = LogLevel.Warning,
            Message = "The data directory {Directory} cannot be locked ({Problem}), "
                + "so nothing will be kept in it; give this user the right to write to it")]
        public static partial void NotLocked(ILogger logger, string directory, string problem);
    }
}
