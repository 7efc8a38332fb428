using Portico.Core.Background;
using Portico.Core.Options;

namespace Portico.Doctor.Checks;

/// <summary>Can what must survive a restart be kept?</summary>
internal sealed class DataDirectoryCheck(ProxySettings settings, DataDirectoryHolder? holder, Func<string, long?> freeBytes) : ICheck
{
    private const string ProbeName = ".doctor";

    public string Name => "data";

    /// <summary>Bytes that this user may still write on the disk of a directory; null = not known.</summary>
    public static long? FreeBytes(string directory)
    {
        try
        {
            return new DriveInfo(directory).AvailableFreeSpace;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    public Task<IReadOnlyList<Finding>> RunAsync(CancellationToken stop) => Task.FromResult<IReadOnlyList<Finding>>([.. Judge()]);

    private IEnumerable<Finding> Judge()
    {
        var directory = settings.DataDirectory;
        var existing = ExistingOf(directory);
        // One that runs there has shown that it can; whoever asks may be another user.
        if (holder is null && ProblemOf(existing) is { } problem)
        {
            yield return Diagnoses.DataUnwritable.Found(
                $"{directory} cannot be written to ({problem}): "
                    + "recorded hellos work again after a restart, and nothing downloaded is kept",
                $"give the user that runs Portico the right to write there (`chown USER {existing}`), "
                    + "or set dataDirectory to a place where it may");
            yield break;
        }

        // Where one runs, it has found it right.
        if (holder is null && DataDirectoryVersion.ProblemOf(directory) is { } newer)
        {
            yield return Diagnoses.DataVersion.Found(newer, "do that: until then a start ends with exit code 2");
            yield break;
        }

        var owner = holder?.ProcessId is { } id ? $", process {id}" : "";
        yield return holder is not null ? Diagnoses.DataInUse.Found($"{directory} belongs to a running Portico{owner}")
            : Diagnoses.DataReady.Found(existing == directory ? $"{directory} can be written to" : $"{directory} can be made by a start");

        var wanted = settings.Replay.Enabled ? settings.Replay.MaxDiskBytes - SizeOf(directory) : 0;
        if (freeBytes(existing) is { } free && free < wanted)
        {
            yield return Diagnoses.DataFull.Found(
                $"{free >> 20} MB are free on the disk of {directory}, and what was seen of clients may take {wanted >> 20} MB more",
                "make room, or set replay.maxDiskMb to less");
        }
    }

    // Where a start would begin to make directories.
    private static string ExistingOf(string directory)
    {
        while (!Directory.Exists(directory) && !File.Exists(directory) && Path.GetDirectoryName(directory) is { Length: > 0 } above)
            directory = above;
        return directory;
    }

    private static string? ProblemOf(string directory)
    {
        if (File.Exists(directory)) return $"{directory} is a file";
        var probe = Path.Combine(directory, ProbeName);
        try
        {
            // Gone with its descriptor; a link of that name is not followed, as the file must be new.
            File.Delete(probe);
            using var file = new FileStream(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
            return null;
        }
        catch (UnauthorizedAccessException)
        {
            return "permission denied";
        }
        catch (IOException problem)
        {
            return problem.Message.ReplaceLineEndings(" ").TrimEnd('.');
        }
    }

    private static long SizeOf(string directory)
    {
        try
        {
            return Directory.Exists(directory) ? new DirectoryInfo(directory).GetFiles().Sum(file => file.Length) : 0;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
