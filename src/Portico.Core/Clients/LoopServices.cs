using System.Collections.Immutable;
using Portico.Core.Backends;
using Portico.Core.Handshake;
using Portico.Core.Net;
using Portico.Core.Sessions;

namespace Portico.Core.Clients;

/// <summary>The steps of one loop's sessions, ready to be taken. One per loop and state of the settings: no locks, one thread.</summary>
internal sealed class LoopServices
{
    public required LoopContext Context { get; init; }

    /// <summary>Memory for steps 1 to 5.</summary>
    public required HandshakePool Handshakes { get; init; }

    /// <summary>One for each listener, in the order of the settings.</summary>
    public required ImmutableArray<ListenerContext> Listeners { get; init; }

    /// <summary>Step 0.</summary>
    public required OriginHeader Origins { get; init; }

    /// <summary>Who tells clients from others, for each listener.</summary>
    public required ImmutableArray<Judge> Judges { get; init; }

    /// <summary>Step 1.</summary>
    public required ClientIdentification Identification { get; init; }

    /// <summary>Step 1 of streams of WEB sessions.</summary>
    public required StreamIdentification Streams { get; init; }

    /// <summary>Step 2.</summary>
    public required StrangerHandling Strangers { get; init; }

    /// <summary>Step 3.</summary>
    public required AdmissionControl Admission { get; init; }

    /// <summary>Step 4.</summary>
    public required ServerHandshake Greeting { get; init; }

    /// <summary>Step 5.</summary>
    public required BackendChoice Backends { get; init; }

    public EventLoop Loop => Context.Loop;
}
