namespace Portico.TestKit.Clients;

/// <summary>What kind of link a client was given.</summary>
public enum ClientMode
{
    /// <summary>None: the client talks to a data centre itself, without secret.</summary>
    Direct,

    /// <summary>A plain secret: abridged or intermediate.</summary>
    Plain,

    /// <summary>A <c>dd</c> secret: padded intermediate.</summary>
    Secure,

    /// <summary>An <c>ee</c> secret: fake TLS with padded intermediate inside.</summary>
    FakeTls,
}
