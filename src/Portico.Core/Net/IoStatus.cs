namespace Portico.Core.Net;

/// <summary>
/// What a read or write on a <see cref="Channel"/> came to.
/// End of stream and reset are values: they happen to every session.
/// </summary>
internal enum IoStatus : byte
{
    /// <summary>At least one byte was moved.</summary>
    Ok,

    /// <summary>Nothing to read, or no room to write, until the next readiness event.</summary>
    WouldBlock,

    /// <summary>The peer has finished sending (FIN).</summary>
    Eof,

    /// <summary>The connection is gone: RST, timed out by the kernel, unreachable.</summary>
    Reset,
}
