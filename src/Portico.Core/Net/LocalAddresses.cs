using System.Collections.Immutable;
using System.Net;

namespace Portico.Core.Net;

/// <summary>
/// Addresses of this machine that connections are made from, in turns: each has local ports of its own, some 28 000 towards one
/// address of the other side. From any thread.
/// </summary>
/// <param name="all">Of both families; none = the system chooses.</param>
internal sealed class LocalAddresses(ImmutableArray<IPAddress> all)
{
    private int _turn;

    /// <summary>The system chooses.</summary>
    public static LocalAddresses None { get; } = new([]);

    /// <summary>How many of them lead to <paramref name="target"/>: those of its family, and loopback to loopback only.</summary>
    public int CountFor(EndPoint target)
    {
        var count = 0;
        foreach (var address in all) count += LeadsTo(address, target) ? 1 : 0;
        return count;
    }

    /// <summary>Whose turn it is; null = the system chooses.</summary>
    public IPAddress? Next(EndPoint target)
    {
        var count = CountFor(target);
        if (count == 0) return null;
        var skip = (int)((uint)Interlocked.Increment(ref _turn) % (uint)count);
        foreach (var address in all)
        {
            if (LeadsTo(address, target) && skip-- == 0) return address;
        }

        return null;
    }

    private static bool LeadsTo(IPAddress address, EndPoint target) =>
        target is IPEndPoint { Address: var there }
        && there.AddressFamily == address.AddressFamily
        && IPAddress.IsLoopback(there) == IPAddress.IsLoopback(address);
}
