using System.Security.Cryptography;

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
    /// <summary>Between two looks. A megabyte is read and digested in less than a millisecond.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly byte[] _buffer = new byte[16384];
    private byte[] _known = [];
    private byte[] _seen = [];

    /// <summary>What the file says now is known.</summary>
    public void Begin()
    {
        lock (_gate) _known = _seen = Look() ?? [];
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
        if (Look() is not { } digest) return false;
        var isStill = digest.AsSpan().SequenceEqual(_seen);
        _seen = digest;
        if (!isStill || digest.AsSpan().SequenceEqual(_known)) return false;
        _known = digest;
        return true;
    }

    private byte[]? Look()
    {
        try
        {
            // A pipe says a thing once, and whoever waits for it waits for ever.
            if (new FileInfo(File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path) is not { Exists: true, Length: > 0 })
                return null;
            using var file = File.OpenHandle(path);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            for (long offset = 0; ;)
            {
                var count = RandomAccess.Read(file, _buffer, offset);
                if (count == 0) return hash.GetHashAndReset();
                hash.AppendData(_buffer.AsSpan(0, count));
                offset += count;
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
