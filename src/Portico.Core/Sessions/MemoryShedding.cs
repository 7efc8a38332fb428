using Portico.Core.Diagnostics;
using Portico.Core.Net;

namespace Portico.Core.Sessions;

/// <summary>What one loop is to give up in one step.</summary>
/// <param name="Bytes">So much, by what is known of each session; the next step begins with what the machine says then.</param>
/// <param name="Most">No more sessions than these.</param>
/// <param name="Strangers">Strangers and callers go.</param>
/// <param name="StuckMs">Clients go that have taken nothing for so long; 0 = none does.</param>
internal readonly record struct MemoryDemand(long Bytes, int Most, bool Strangers, long StuckMs);

/// <summary>
/// One step of giving memory back on one loop: strangers, the one that has been silent longest first; then callers that have shown
/// nothing, the oldest first; then clients that take nothing, those that hold most first. Nobody who gets on is touched.
/// </summary>
internal sealed class MemoryShedding(EventLoop loop, MemoryDemand demand, ProxyMetrics metrics, Action<Exception> onFault) : ILoopTask
{
    // A handshake needs a round trip to the other end of the world: who came just now is not idle.
    private const int CallerMs = 1000;

    // What a connection costs besides its bytes: sockets, channels, a session.
    private const int OwnBytes = 8 * 1024;

    private long _freed;
    private int _ended;

    public void Run()
    {
        var now = loop.NowMs;
        var holders = Holders();
        if (demand.Strangers)
        {
            EndAll(holders.Where(it => it.Standing == MemoryStanding.Stranger).OrderBy(it => it.SinceMs));
            EndAll(holders.Where(it => it.Standing == MemoryStanding.Caller && now - it.SinceMs >= CallerMs).OrderBy(it => it.SinceMs));
        }

        if (demand.StuckMs == 0 || IsEnough) return;
        EndAll(holders.Where(it => it.Standing == MemoryStanding.Client && it.StuckMs(now) >= demand.StuckMs).OrderByDescending(Held));
    }

    public void OnFault(Exception error) => onFault(error);

    private bool IsEnough => _freed >= demand.Bytes || _ended >= demand.Most;

    // Of a relay with two channels, once.
    private List<IMemoryHolder> Holders()
    {
        var holders = new List<IMemoryHolder>();
        foreach (var channel in loop.Slots.Open())
        {
            if (channel.Owner is IMemoryHolder holder && SessionDirectory.SessionOf(channel) is not null)
                holders.Add(holder);
        }

        return holders;
    }

    // The kernel's part is what it cannot get rid of; what waits to be read comes on top and is not asked for.
    private static long Held(IMemoryHolder holder) => holder.HeldBytes + Math.Max(0, holder.Session?.Client.UnacknowledgedBytes() ?? 0);

    private void EndAll(IEnumerable<IMemoryHolder> inOrder)
    {
        foreach (var holder in inOrder)
        {
            if (IsEnough) return;
            var standing = holder.Standing;
            _freed += OwnBytes + Held(holder);
            _ended++;
            try
            {
                holder.LetGo(CloseReason.MemoryPressure);
            }
            catch (Exception error) when (!EventLoop.IsFatal(error))
            {
                holder.OnFault(error); // the others' turn all the same
            }

            metrics.MemoryShed(standing.Tag());
        }
    }
}
