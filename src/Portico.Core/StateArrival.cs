using Microsoft.Extensions.Logging.Abstractions;
using Portico.Core.Background;

namespace Portico.Core;

/// <summary>
/// The state of a proxy that comes from another machine: received beside what is in force, and put in its place once it is whole. Owns the
/// data directory meanwhile, so no proxy starts with half of it.
/// </summary>
public sealed class StateArrival : IDisposable
{
    // Inside the directory: a service may write nowhere else, and what is moved within one disk is moved at once.
    private const string Beside = "import.partial";

    private readonly string _directory;
    private readonly string _beside;
    private readonly DirectoryLock _lock;
    private readonly List<string> _received = [];
    private readonly List<string> _placed = [];
    private bool _isKept;

    private StateArrival(string directory, DirectoryLock taken) =>
        (_directory, _beside, _lock) = (directory, Path.Combine(directory, Beside), taken);

    /// <summary>So many files were received.</summary>
    public int Count => _received.Count;

    /// <summary>The version of what was received; null = its file says something else.</summary>
    public int? Version => DataDirectoryVersion.Of(_beside);

    /// <summary>Takes a data directory in which nothing is kept yet.</summary>
    /// <param name="directory">Made if it is not there, and gone again if nothing comes of it.</param>
    /// <param name="problem">Why not, and what to do.</param>
    /// <returns>Null if it cannot be had.</returns>
    /// <exception cref="IOException">It cannot be written to.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not write to it.</exception>
    public static StateArrival? TryBegin(string directory, out string? problem)
    {
        problem = null;
        DirectoryLock? taken;
        try
        {
            taken = DirectoryLock.Take(directory, NullLogger.Instance);
        }
        catch (DataDirectoryInUseException inUse)
        {
            problem = inUse.Message;
            return null;
        }

        if (taken is null) throw new UnauthorizedAccessException();
        var arrival = new StateArrival(directory, taken);
        try
        {
            var kept = StateFiles.In(directory).Where(name => name != DataDirectoryVersion.Name).ToArray();
            if (kept.Length > 0)
            {
                problem = $"the data directory {directory} holds what a proxy has kept ({string.Join(", ", kept.Take(3))}), "
                    + "and that stays; move the directory away first, or name another in PORTICO__dataDirectory, now and for each start";
            }
            else if (DataDirectoryVersion.ProblemOf(directory) is { } newer)
            {
                problem = newer;
            }
            else
            {
                arrival.ClearBeside(); // left over from a kill
                KeptFile.MakeDirectory(arrival._beside);
            }
        }
        catch
        {
            arrival.Dispose();
            throw;
        }

        if (problem is null) return arrival;
        arrival.Dispose();
        return null;
    }

    /// <summary>Receives a file.</summary>
    /// <param name="name">One of <see cref="StateFiles"/>, which came once.</param>
    /// <param name="asOf">The time that it is to carry.</param>
    /// <param name="fill">Writes the content.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Receive(string name, DateTimeOffset asOf, Action<Stream> fill)
    {
        if (!StateFiles.IsOne(name) || _received.Contains(name))
            throw new ArgumentException("not a file of a data directory, or it was received before", nameof(name));
        var path = Path.Combine(_beside, name);
        using (var file = new FileStream(KeptFile.Create(path), FileAccess.Write))
        {
            fill(file);
            file.Flush(flushToDisk: true);
        }

        File.SetLastWriteTimeUtc(path, asOf.UtcDateTime);
        _received.Add(name);
    }

    /// <summary>
    /// Puts everything in its place, marked as a copy: what the original lets in from now on is not known here, so the first start refuses
    /// hellos signed before it. Undone unless <see cref="Keep"/> is called.
    /// </summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Place()
    {
        _placed.Add(CopyMark.Name);
        if (CopyMark.Put(_directory) is { } problem) throw new IOException(problem);
        foreach (var name in _received)
        {
            _placed.Add(name);
            File.Move(Path.Combine(_beside, name), Path.Combine(_directory, name), overwrite: true);
        }
    }

    /// <summary>What was placed is to stay.</summary>
    public void Keep() => _isKept = true;

    /// <summary>Gives the directory back.</summary>
    public void Dispose()
    {
        _ = KeptFile.Guard(ClearBeside);
        if (_isKept)
        {
            _lock.Dispose();
            return;
        }

        foreach (var name in _placed) _ = KeptFile.Remove(_directory, name);
        _lock.Undo();
    }

    private void ClearBeside()
    {
        if (Directory.Exists(_beside)) Directory.Delete(_beside, recursive: true);
    }
}
