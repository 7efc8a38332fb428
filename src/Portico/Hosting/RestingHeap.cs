using System.Runtime.InteropServices;

namespace Portico.Hosting;

/// <summary>
/// Compacts the heap after a wave of clients, once hardly anybody allocates any more. What a wave leaves between the objects that stay
/// is a third of what they take, and nobody calls the collector of a proxy at rest. What the system's libraries have freed goes back too.
/// The process is ours: a library has no business there.
/// </summary>
internal sealed class RestingHeap : IDisposable
{
    // At rest little is allocated between two looks; after enough it is looked sooner whether there is rest.
    private const int LookMs = 1000, SoonMs = 400;

    private delegate int MallocTrim(nuint pad);

    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly ITimer _timer;
    private readonly long _start;
    private HeapAtRest _rest;
    private bool _isOver;

    /// <summary>Looks from now on.</summary>
    public RestingHeap(TimeProvider time)
    {
        (_time, _start) = (time, time.GetTimestamp());
        _timer = time.CreateTimer(_ => Look(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        ComeBack(LookMs);
    }

    /// <summary>No look begins after this.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isOver = true;
            _timer.Dispose();
        }
    }

    private void Look()
    {
        var nowMs = NowMs();
        if (_rest.IsDue(nowMs, GC.GetTotalAllocatedBytes(), GC.GetTotalMemory(forceFullCollection: false)))
        {
            // The usual budget of the collector, 512 KB, is never used up by a proxy at rest (Portico.csproj).
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            TrimNative();
            _rest.Collected(nowMs, NowMs() - nowMs);
        }

        ComeBack(_rest.IsWorthIt ? SoonMs : LookMs);
    }

    // TLS and the database have their memory from there. Another C library than glibc has no such call, and may need none.
    private static void TrimNative()
    {
        if (NativeLibrary.TryGetExport(NativeLibrary.GetMainProgramHandle(), "malloc_trim", out var trim))
            _ = Marshal.GetDelegateForFunctionPointer<MallocTrim>(trim)(0);
    }

    private void ComeBack(int afterMs)
    {
        lock (_gate)
        {
            if (_isOver) return;
            _timer.Change(TimeSpan.FromMilliseconds(afterMs), Timeout.InfiniteTimeSpan);
        }
    }

    private long NowMs() => (long)_time.GetElapsedTime(_start).TotalMilliseconds;
}
