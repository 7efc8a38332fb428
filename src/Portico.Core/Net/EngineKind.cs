namespace Portico.Core.Net;

/// <summary>The engines behind the readiness seam (docs/adr/0001).</summary>
public enum EngineKind
{
    /// <summary>epoll on Linux, sockets elsewhere.</summary>
    Auto,

    /// <summary>Our own system calls; Linux only.</summary>
    Epoll,

    /// <summary>System.Net.Sockets; everywhere.</summary>
    Sockets,
}
