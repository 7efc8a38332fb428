using Portico.Core.Diagnostics;
using Portico.Core.Users;
using Portico.Protocol;

namespace Portico.Core.Sessions;

/// <summary>What the steps of a session learnt of who calls, for its line in the log: it tells clients that fail apart.</summary>
internal struct Judged
{
    /// <summary>Whose secret was proved; null = nobody's.</summary>
    public Credential? Credential;

    /// <summary>Why it was treated as a stranger; null = it was not, or nobody could tell.</summary>
    public CloseReason? Refusal;

    /// <summary>It was let in.</summary>
    public bool IsClient;

    /// <summary>Its hello names another host than our links: a browser's or a scanner's rather than an app's with a wrong secret.</summary>
    public bool HasOtherName;

    /// <summary>It said which DC it wants, and how it frames packets.</summary>
    public bool HasHeader;

    /// <summary>With a header: inside fake TLS.</summary>
    public bool IsTls;

    /// <summary>With a header.</summary>
    public Transport Transport;

    /// <summary>With a header: signed id, as the client gave it.</summary>
    public short Dc;

    /// <summary>In the words of the log.</summary>
    public readonly string Words() => Refusal switch
    {
        null => IsClient ? "a client" : "undecided",
        CloseReason.UnknownProtocol => "not a client, or a wrong secret",
        CloseReason.DisabledProtocol => "a protocol that this listener does not allow",
        CloseReason.TlsClientHelloExpected => "not a hello",
        CloseReason.TlsClientHelloTooShort => "not a hello of any client, too short",
        CloseReason.TlsClientHelloTooLong => "not a hello of any client, too long",
        CloseReason.TlsBadClientHello => "a malformed hello",
        CloseReason.TlsNoSni => "a hello without a name",
        CloseReason.TlsInvalidDigest => HasOtherName ? "wrong name and no secret of ours for it" : "wrong secret, or a browser",
        CloseReason.TlsMissingKeyShareExt or CloseReason.TlsUnsupportedKeyShares or CloseReason.TlsNoCommonCipher =>
            "right secret, but no hello of TLS 1.3",
        CloseReason.TlsTime => "right secret, but an old hello or a wrong clock",
        CloseReason.TlsBeforeStart => "right secret, but an old hello: signed before this start",
        CloseReason.ReplaySessionDetected => "right secret, but seen before",
        CloseReason.SecretRemoved => "right secret, but removed meanwhile",
        CloseReason.PolicyError => "a client, but a rule refuses it",
        CloseReason.UserDisabled => "a client, but its user is switched off",
        CloseReason.UserExpired => "a client, but its user's time is over",
        CloseReason.UserQuota => "a client, but its user's bytes are used up",
        CloseReason.UserConnections => "a client, but its user has too many sessions",
        CloseReason.UserNetworks => "a client, but its user is in too many networks",
        CloseReason.AddressRate => "not tried: too many of its network knew no secret",
        CloseReason.ConnectionLimit => "a client, but the listener is full",
        CloseReason.Memory => "a client, but next to no memory is left",
        CloseReason.HandshakeTimeout or CloseReason.ClientClosed => "undecided",
        { } other => other.Tag(),
    };
}
