namespace Portico.TestKit.Wires;

/// <summary>How the other side of a connection ended, as this side saw it.</summary>
public enum PeerEnd
{
    /// <summary>It has not.</summary>
    None,

    /// <summary>FIN: everything it had to say was said.</summary>
    Fin,

    /// <summary>RST.</summary>
    Reset,

    /// <summary>It neither sent nor ended in the time allowed.</summary>
    Timeout,
}
