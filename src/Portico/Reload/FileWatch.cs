using Portico.Protocol.Crypto;

namespace Portico.Reload;

/// <summary>
/// Notices that a file says something else than before, by looking at what it says: whatever replaced it (a rename, a link that was
/// turned, a write in place, a mount of the one file, an editor on a network share), and without being told by the system.
/// </summary>
/// <remarks>
/// What was found counts once it was found twice in a row, so that a file written in halves is read when it is whole.
/// One that is gone, or cannot be read, says nothing: what it said last counts until it is back.
/// </remarks>
/// <param name="path">Of the file.</param>
/// <param name="time">When to look.</param>
internal sealed class FileWatch(string path, TimeProvider time)
{
    /// <summary>Between two looks. A megabyte is read and summed in less than a millisecond.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly byte[] _buffer = new byte[16384];
    private Content _known;
    private Content _seen;

    // What a file says, told apart well enough from what it said before: SIGHUP is there for the one change in four thousand million.
    private readonly record struct Content(long Length, uint Checksum);

    /// <summary>What the file says now is known.</summary>
    public void Begin()
    {
        lock (_gate) _known = _seen = Look() ?? default;
    }

    /// <summary>Calls <paramref name="changed"/> after each change, until <paramref name="stop"/>.</summary>
    public async Task RunAsync(Func<Task> changed, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(Period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
            {
                if (HasChanged()) await changed();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // as asked
        }
    }

    /// <summary>Looks. True once for each thing that the file says, at the second look that finds it.</summary>
    public bool HasChanged()
    {
        lock (_gate) return HasChangedNow();
    }

    private bool HasChangedNow()
    {
        if (Look() is not { } content) return false;
        var isStill = content == _seen;
        _seen = content;
        if (!isStill || content == _known) return false;
        _known = content;
        return true;
    }

    private Content? Look()
    {
        try
        {
            // A pipe says a thing once, and whoever waits for it waits for ever.
            if (new FileInfo(File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path) is not { Exists: true, Length: > 0 })
                return null;
            using var file = File.OpenHandle(path);
            var content = default(Content);
            while (RandomAccess.Read(file, _buffer, content.Length) is > 0 and var count)
                content = new(content.Length + count, Crc32.Append(content.Checksum, _buffer.AsSpan(0, count)));
            return content;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
