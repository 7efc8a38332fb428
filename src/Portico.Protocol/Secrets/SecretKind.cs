namespace Portico.Protocol.Secrets;

/// <summary>What a secret's text tells a client to speak (spec/01 section 4).</summary>
public enum SecretKind : byte
{
    /// <summary>16 bytes: abridged or intermediate, as the client likes.</summary>
    Simple,

    /// <summary>dd and 16 bytes: padded intermediate.</summary>
    Secure,

    /// <summary>ee, 16 bytes and a domain: padded intermediate inside fake TLS.</summary>
    FakeTls,
}
