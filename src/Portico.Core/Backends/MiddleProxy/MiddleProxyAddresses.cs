using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Portico.Core.Backends.MiddleProxy;

/// <summary>
/// Which address of a data centre's middle proxies is tried next: one that has not failed
/// lately before one that has, the preferred family before the other until two addresses
/// of it have disappointed. Pure: attempts, outcomes and the clock are arguments.
/// </summary>
internal sealed class MiddleProxyAddresses
{
    private const int FirstRetryMs = 300, LongestRetryMs = 30_000;

    // An address that failed is tried again for want of a better one, and after this long as if nothing had been.
    private const int MemoryMs = 600_000;

    // Of one family; then the fault may be the family's.
    private const int EnoughOfAFamily = 2;

    private readonly Dictionary<IPEndPoint, Past> _past = [];

    /// <summary>Failures of all addresses since one of them worked.</summary>
    public int Failures { get; private set; }

    /// <summary>The best address to try now; null when each has to rest, or is being tried without an answer.</summary>
    /// <param name="inOrder">The preferred family first.</param>
    /// <param name="nowMs">The loop's clock.</param>
    /// <param name="attemptsAt">How many attempts at an address have only begun, and how many wait for longer than an answer takes.</param>
    public IPEndPoint? Next(IReadOnlyList<IPEndPoint> inOrder, long nowMs, Func<IPEndPoint, (int Fresh, int Stalled)> attemptsAt)
    {
        var preferred = inOrder.Count == 0 ? default : inOrder[0].AddressFamily;
        var disappointing = inOrder.Count(
            address => address.AddressFamily == preferred && (attemptsAt(address).Stalled > 0 || HasFailed(address, nowMs)));
        var first = disappointing < EnoughOfAFamily ? preferred : Other(preferred);
        return inOrder
            .Where(address => attemptsAt(address).Stalled == 0 && RestsUntil(address) <= nowMs)
            .OrderBy(address => HasFailed(address, nowMs))
            .ThenBy(address => address.AddressFamily != first)
            .ThenBy(address => attemptsAt(address).Fresh)
            .ThenBy(_ => RandomNumberGenerator.GetInt32(int.MaxValue))
            .FirstOrDefault();
    }

    /// <summary>When the first of them has rested; the far future if none is resting.</summary>
    public long RestedMs(IEnumerable<IPEndPoint> addresses, long nowMs) =>
        addresses.Select(RestsUntil).Where(ms => ms > nowMs).DefaultIfEmpty(long.MaxValue).Min();

    /// <summary>All of them failed the last time they were tried.</summary>
    public bool AllFailed(IEnumerable<IPEndPoint> addresses, long nowMs) => addresses.All(address => HasFailed(address, nowMs));

    /// <summary>
    /// An attempt failed. Those that began together fail together,
    /// and are one failure: ten of them must not rest as long as ten in a row.
    /// </summary>
    /// <param name="address">Where to.</param>
    /// <param name="begunMs">When.</param>
    /// <param name="nowMs">The loop's clock.</param>
    /// <param name="hasServed">A link served a client and died soon after. It works: it rests a moment, not longer each time.</param>
    public void Failed(IPEndPoint address, long begunMs, long nowMs, bool hasServed = false)
    {
        _past.TryGetValue(address, out var past);
        if (past.Failures > 0 && begunMs <= past.FailedMs) return;
        var failures = hasServed ? 1 : Math.Min(past.Failures + 1, 16);
        var wait = Math.Min((long)FirstRetryMs << (failures - 1), LongestRetryMs);
        _past[address] = new Past(failures, nowMs, nowMs + (wait / 2) + RandomNumberGenerator.GetInt32((int)(wait / 2) + 1));
        Failures++;
    }

    /// <summary>A link to it came about and lived for a while.</summary>
    public void Worked(IPEndPoint address)
    {
        _past.Remove(address);
        Failures = 0;
    }

    /// <summary>Something else may have been the reason, and has changed.</summary>
    public void Forget()
    {
        _past.Clear();
        Failures = 0;
    }

    private long RestsUntil(IPEndPoint address) => _past.TryGetValue(address, out var past) ? past.RestedMs : 0;

    private bool HasFailed(IPEndPoint address, long nowMs) => _past.TryGetValue(address, out var past) && nowMs - past.FailedMs < MemoryMs;

    private static AddressFamily Other(AddressFamily family) =>
        family == AddressFamily.InterNetworkV6 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6;

    private readonly record struct Past(int Failures, long FailedMs, long RestedMs);
}
