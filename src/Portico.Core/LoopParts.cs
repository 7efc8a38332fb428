using Portico.Core.Admission;
using Portico.Core.Backends.MiddleProxy;
using Portico.Core.Cover;
using Portico.Core.Diagnostics;
using Portico.Core.Handshake;
using Portico.Core.Net;
using Portico.Protocol.Crypto;

namespace Portico.Core;

/// <summary>What one loop keeps while settings change.</summary>
internal sealed class LoopParts
{
    public required EventLoop Loop { get; init; }

    /// <summary>Memory for steps 1 to 5.</summary>
    public required HandshakePool Handshakes { get; init; }

    /// <summary>Its strangers at the cover.</summary>
    public required CoverGuests Guests { get; init; }

    /// <summary>Its counters of data centres.</summary>
    public required DcCounterTable Dcs { get; init; }

    /// <summary>Connections of one address that have shown no secret.</summary>
    public required AddressLimits Addresses { get; init; }

    /// <summary>Strangers of one network that may be tried with all secrets.</summary>
    public required StrangerLimits Strangers { get; init; }

    /// <summary>Turns of those whose bytes are tried against many secrets.</summary>
    public required TrialQueue Trials { get; init; }

    /// <summary>Random bytes for flights and headers.</summary>
    public required RandomKeystream Random { get; init; }

    /// <summary>Its links to middle proxies.</summary>
    public required MiddleProxyBackend Middle { get; init; }
}
