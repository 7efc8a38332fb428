using Portico.Core.Net;
using Portico.Core.Users;

namespace Portico.Core.Backends.MiddleProxy;

/// <summary>A client of a link, as its ledger sees it.</summary>
internal interface IDebtor
{
    /// <summary>Bytes that wait for it.</summary>
    long OwedBytes { get; }

    /// <summary>Packets that wait for it.</summary>
    int OwedPackets { get; }

    /// <summary>More waits than one client may be owed.</summary>
    bool IsOverLimit { get; }

    /// <summary>Whose secret it has shown.</summary>
    Credential Credential { get; }

    /// <summary>Where it comes from.</summary>
    ClientNetwork Network { get; }
}
