using System.Diagnostics;

namespace Portico.Core.Backends.MiddleProxy;

/// <summary>Which of a link's limits its clients exceeded.</summary>
internal enum DebtLimit : byte
{
    /// <summary>None.</summary>
    None,

    /// <summary>Packets, over all clients.</summary>
    CountTotal,

    /// <summary>Bytes, over all clients.</summary>
    BytesTotal,

    /// <summary>Packets, times the clients of the moment.</summary>
    CountPerClient,

    /// <summary>Bytes, times the clients of the moment.</summary>
    BytesPerClient,
}

/// <summary>What is said of limits.</summary>
internal static class DebtLimits
{
    /// <summary>The metric's label.</summary>
    public static string Tag(this DebtLimit limit) => limit switch
    {
        DebtLimit.CountTotal => "count_total",
        DebtLimit.BytesTotal => "bytes_total",
        DebtLimit.CountPerClient => "count_per_client",
        DebtLimit.BytesPerClient => "bytes_per_client",
        _ => throw new UnreachableException($"limit {limit} has no tag"),
    };

    /// <summary>Packets are what was exceeded, not bytes.</summary>
    public static bool CountsPackets(this DebtLimit limit) => limit is DebtLimit.CountTotal or DebtLimit.CountPerClient;
}
