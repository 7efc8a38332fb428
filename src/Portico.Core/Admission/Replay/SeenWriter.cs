namespace Portico.Core.Admission.Replay;

/// <summary>
/// The thread that writes journals out. An item that comes after a pause is written at once, the next ones together, half a second later:
/// a kill loses no more than that. Every five seconds what was written is brought onto the disk: a power cut loses no more than that.
/// </summary>
internal sealed class SeenWriter : IDisposable
{
    private const int PauseMs = 500, SyncMs = 5000, RetryMs = 1000;

    private readonly SeenJournal[] _journals;
    private readonly Action<string> _failed;
    private readonly AutoResetEvent _news = new(initialState: false);
    private readonly ManualResetEvent _stop = new(initialState: false);
    private readonly Thread _thread;
    private bool _syncNow;

    /// <param name="journals">What to write.</param>
    /// <param name="failed">Something could not be written, and why; it will be tried again in a second.</param>
    public SeenWriter(SeenJournal[] journals, Action<string> failed)
    {
        (_journals, _failed) = (journals, failed);
        _thread = new Thread(Run) { IsBackground = true, Name = "portico-seen" };
        _thread.Start();
    }

    /// <summary>There is something to write where there was nothing; from any loop.</summary>
    public void Wake() => _news.Set();

    /// <summary>Everything so far is to be on the disk soon.</summary>
    public void SyncSoon()
    {
        Volatile.Write(ref _syncNow, true);
        _news.Set();
    }

    /// <summary>Ends the thread. What waits is not written by it any more.</summary>
    public void Dispose() => TryStop();

    /// <summary>The same.</summary>
    /// <returns>False if it has not ended yet: a disk that does not answer must not keep the process.</returns>
    public bool TryStop()
    {
        _stop.Set();
        if (!_thread.Join(PauseMs * 4)) return false;
        _news.Dispose();
        _stop.Dispose();
        return true;
    }

    private void Run()
    {
        WaitHandle[] newsOrStop = [_news, _stop];
        var (syncedMs, hasFailed) = (Environment.TickCount64, false);
        while (true)
        {
            var untilSync = Math.Clamp(syncedMs + SyncMs - Environment.TickCount64, 0, SyncMs);
            var wait = hasFailed ? RetryMs : _journals.Any(static journal => journal.IsUnsynced) ? (int)untilSync : Timeout.Infinite;
            if (WaitHandle.WaitAny(newsOrStop, wait) == 1) return;
            var sync = Interlocked.Exchange(ref _syncNow, false) || Environment.TickCount64 - syncedMs >= SyncMs;
            hasFailed = false;
            foreach (var journal in _journals)
            {
                if (journal.Write(sync) is not { } problem) continue;
                hasFailed = true;
                _failed(problem);
            }

            if (sync) syncedMs = Environment.TickCount64;

            // News that come now wait for the end of the pause, unless they ask for the disk.
            for (var until = Environment.TickCount64 + PauseMs; !Volatile.Read(ref _syncNow);)
            {
                var left = (int)(until - Environment.TickCount64);
                if (left <= 0) break;
                if (_stop.WaitOne(Math.Min(left, PauseMs / 5))) return;
            }
        }
    }
}
