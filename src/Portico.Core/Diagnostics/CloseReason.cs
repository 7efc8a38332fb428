using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Portico.Protocol;

namespace Portico.Core.Diagnostics;

/// <summary>
/// Why a session ended: the one vocabulary of log, metric, API, documentation and tests. The first reason wins.
/// Reasons of the protocol carry the names of <see cref="ProtocolError"/>; nothing of it ever reaches the wire.
/// </summary>
public enum CloseReason : byte
{
    /// <summary>The client finished sending and everything for it was delivered.</summary>
    ClientClosed,

    /// <summary>The client's connection was reset or vanished.</summary>
    ClientReset,

    /// <summary>Nobody could tell who is calling before the handshake deadline.</summary>
    HandshakeTimeout,

    /// <summary>A client of ours got our flight and never sent its 64-byte header.</summary>
    HeaderTimeout,

    /// <summary>No byte in either direction for the idle limit.</summary>
    IdleTimeout,

    /// <summary>Output was pending and the client's kernel took none of it for the write limit.</summary>
    ClientWriteTimeout,

    /// <summary>The data centre finished sending.</summary>
    DcClosed,

    /// <summary>The connection to the data centre was reset or vanished.</summary>
    DcReset,

    /// <summary>No address of the data centre took our connection.</summary>
    DcConnectFailed,

    /// <summary>No address of the data centre answered in time.</summary>
    DcConnectTimeout,

    /// <summary>The client named a data centre that has no middle proxy, and there is no default.</summary>
    UnknownDc,

    /// <summary>No link to a middle proxy of the data centre came about in time.</summary>
    PoolEmpty,

    /// <summary>The link to the middle proxy died with a packet of this client on it, or half an answer: it must connect again.</summary>
    MidSend,

    /// <summary>
    /// More waited for the client than one client may be owed, for too long;
    /// or it was the cause that its link was held up.
    /// </summary>
    ClientQueueLimit,

    /// <summary>Half a packet had come, and no byte more of it for a minute.</summary>
    PacketTimeout,

    /// <summary>Clients together held more memory than they may, and this one most.</summary>
    MemoryLimit,

    /// <summary>The machine was short of memory: a stranger, a caller that had shown nothing, or a client that took nothing.</summary>
    MemoryPressure,

    /// <summary>Next to no memory was left when it came: treated as a stranger, after its secret was tried and remembered.</summary>
    Memory,

    /// <summary>The listener has its maximum of authenticated sessions: treated as a stranger.</summary>
    ConnectionLimit,

    /// <summary>Its address had too many connections that had shown no secret, and this was the oldest.</summary>
    AddressLimit,

    /// <summary>It came from a balancer, and no PROXY header came with it in time.</summary>
    ProxyHeader,

    /// <summary>A stranger was at the cover, which finished sending.</summary>
    CoverClosed,

    /// <summary>A stranger was at the cover, which reset the connection or vanished.</summary>
    CoverReset,

    /// <summary>A stranger was for the cover, and no address of it took our connection.</summary>
    CoverConnectFailed,

    /// <summary>A stranger was for the cover, and no address of it answered in time.</summary>
    CoverConnectTimeout,

    /// <summary>More strangers than may be at the cover: this one had been silent longest.</summary>
    CoverLimit,

    /// <summary>The operator took its secret away, or the time of a former secret is over.</summary>
    SecretRemoved,

    /// <summary>The operator took its listener away.</summary>
    ListenerRemoved,

    /// <summary>Its user is switched off.</summary>
    UserDisabled,

    /// <summary>Its user's time is over.</summary>
    UserExpired,

    /// <summary>Its user's bytes of this period are used up.</summary>
    UserQuota,

    /// <summary>Its user has as many sessions as it may: treated as a stranger.</summary>
    UserConnections,

    /// <summary>
    /// Its user came from more networks than it may: treated as a stranger, or it was from the network that had been silent longest.
    /// </summary>
    UserNetworks,

    /// <summary>The operator ended this session.</summary>
    EndedByOperator,

    /// <summary>The proxy is stopping.</summary>
    Shutdown,

    /// <summary>An exception of ours; it ended this session only.</summary>
    InternalError,

    // From here on: the reasons of the protocol (IsProtocolError).

    /// <inheritdoc cref="ProtocolError.UnknownProtocol"/>
    UnknownProtocol,

    /// <inheritdoc cref="ProtocolError.DisabledProtocol"/>
    DisabledProtocol,

    /// <inheritdoc cref="ProtocolError.TlsClientHelloExpected"/>
    TlsClientHelloExpected,

    /// <inheritdoc cref="ProtocolError.TlsClientHelloTooShort"/>
    TlsClientHelloTooShort,

    /// <inheritdoc cref="ProtocolError.TlsClientHelloTooLong"/>
    TlsClientHelloTooLong,

    /// <inheritdoc cref="ProtocolError.TlsBadClientHello"/>
    TlsBadClientHello,

    /// <inheritdoc cref="ProtocolError.TlsInvalidDigest"/>
    TlsInvalidDigest,

    /// <inheritdoc cref="ProtocolError.TlsMissingKeyShareExt"/>
    TlsMissingKeyShareExt,

    /// <inheritdoc cref="ProtocolError.TlsUnsupportedKeyShares"/>
    TlsUnsupportedKeyShares,

    /// <inheritdoc cref="ProtocolError.TlsNoCommonCipher"/>
    TlsNoCommonCipher,

    /// <inheritdoc cref="ProtocolError.TlsNoSni"/>
    TlsNoSni,

    /// <inheritdoc cref="ProtocolError.TlsTime"/>
    TlsTime,

    /// <summary>A hello or header that was seen before: treated as a stranger.</summary>
    ReplaySessionDetected,

    /// <summary>
    /// A hello that was signed before this process began, which follows one that was killed:
    /// it may be a replay, so it is treated as a stranger.
    /// </summary>
    TlsBeforeStart,

    /// <summary>A client that knows a secret and does not pass a rule (<c>policy</c>): treated as a stranger.</summary>
    PolicyError,
    /// <summary>
    /// Its network had failed so often that it was not tried with all secrets (<c>limits.strangersPerSecond</c>):
    /// treated as a stranger. Whether it knows one, nobody can tell.
    /// </summary>
    AddressRate,

    /// <inheritdoc cref="ProtocolError.TlsBadInnerProtocol"/>
    TlsBadInnerProtocol,

    /// <inheritdoc cref="ProtocolError.TlsBadRecord"/>
    TlsBadRecord,

    /// <inheritdoc cref="ProtocolError.AbridgedMaxSize"/>
    AbridgedMaxSize,

    /// <inheritdoc cref="ProtocolError.IntermediateMaxSize"/>
    IntermediateMaxSize,

    /// <inheritdoc cref="ProtocolError.ZeroLength"/>
    ZeroLength,

    /// <inheritdoc cref="ProtocolError.Unaligned"/>
    Unaligned,
}

/// <summary>Whose doing an end was.</summary>
public enum GuiltySide : byte
{
    /// <summary>The Telegram app or whoever called.</summary>
    Client,

    /// <summary>A data centre or the way to it.</summary>
    Telegram,

    /// <summary>The site that strangers see, or the way to it.</summary>
    Cover,

    /// <summary>The person who runs the proxy.</summary>
    Operator,

    /// <summary>Our own fault.</summary>
    Proxy,
}

/// <summary>What the outside calls a <see cref="CloseReason"/>.</summary>
public static class CloseReasons
{
    /// <summary>The reason for bytes that were not accepted.</summary>
    public static CloseReason Of(ProtocolError error) => error switch
    {
        ProtocolError.UnknownProtocol => CloseReason.UnknownProtocol,
        ProtocolError.DisabledProtocol => CloseReason.DisabledProtocol,
        ProtocolError.TlsClientHelloExpected => CloseReason.TlsClientHelloExpected,
        ProtocolError.TlsClientHelloTooShort => CloseReason.TlsClientHelloTooShort,
        ProtocolError.TlsClientHelloTooLong => CloseReason.TlsClientHelloTooLong,
        ProtocolError.TlsBadClientHello => CloseReason.TlsBadClientHello,
        ProtocolError.TlsInvalidDigest => CloseReason.TlsInvalidDigest,
        ProtocolError.TlsMissingKeyShareExt => CloseReason.TlsMissingKeyShareExt,
        ProtocolError.TlsUnsupportedKeyShares => CloseReason.TlsUnsupportedKeyShares,
        ProtocolError.TlsNoCommonCipher => CloseReason.TlsNoCommonCipher,
        ProtocolError.TlsNoSni => CloseReason.TlsNoSni,
        ProtocolError.TlsTime => CloseReason.TlsTime,
        ProtocolError.TlsBadInnerProtocol => CloseReason.TlsBadInnerProtocol,
        ProtocolError.TlsBadRecord => CloseReason.TlsBadRecord,
        ProtocolError.AbridgedMaxSize => CloseReason.AbridgedMaxSize,
        ProtocolError.IntermediateMaxSize => CloseReason.IntermediateMaxSize,
        ProtocolError.ZeroLength => CloseReason.ZeroLength,
        ProtocolError.Unaligned => CloseReason.Unaligned,
        _ => throw new UnreachableException($"{error} does not end a session"),
    };

    /// <summary>The snake_case name: metric label, log field, API field.</summary>
    public static string Tag(this CloseReason reason) => reason switch
    {
        CloseReason.ClientClosed => "client_closed",
        CloseReason.ClientReset => "client_reset",
        CloseReason.HandshakeTimeout => "handshake_timeout",
        CloseReason.HeaderTimeout => "header_timeout",
        CloseReason.IdleTimeout => "idle_timeout",
        CloseReason.ClientWriteTimeout => "client_write_timeout",
        CloseReason.DcClosed => "dc_closed",
        CloseReason.DcReset => "dc_reset",
        CloseReason.DcConnectFailed => "dc_connect_failed",
        CloseReason.DcConnectTimeout => "dc_connect_timeout",
        CloseReason.UnknownDc => "unknown_dc",
        CloseReason.PoolEmpty => "pool_empty",
        CloseReason.MidSend => "mid_send",
        CloseReason.ClientQueueLimit => "client_queue_limit",
        CloseReason.PacketTimeout => "packet_timeout",
        CloseReason.MemoryLimit => "memory_limit",
        CloseReason.MemoryPressure => "memory_pressure",
        CloseReason.Memory => "memory",
        CloseReason.ConnectionLimit => "connection_limit",
        CloseReason.AddressLimit => "address_limit",
        CloseReason.ProxyHeader => "proxy_header",
        CloseReason.CoverClosed => "cover_closed",
        CloseReason.CoverReset => "cover_reset",
        CloseReason.CoverConnectFailed => "cover_connect_failed",
        CloseReason.CoverConnectTimeout => "cover_connect_timeout",
        CloseReason.CoverLimit => "cover_limit",
        CloseReason.SecretRemoved => "secret_removed",
        CloseReason.ListenerRemoved => "listener_removed",
        CloseReason.UserDisabled => "user_disabled",
        CloseReason.UserExpired => "user_expired",
        CloseReason.UserQuota => "user_quota",
        CloseReason.UserConnections => "user_connections",
        CloseReason.UserNetworks => "user_networks",
        CloseReason.EndedByOperator => "ended_by_operator",
        CloseReason.Shutdown => "shutdown",
        CloseReason.InternalError => "internal_error",
        CloseReason.UnknownProtocol => "unknown_protocol",
        CloseReason.DisabledProtocol => "disabled_protocol",
        CloseReason.TlsClientHelloExpected => "tls_client_hello_expected",
        CloseReason.TlsClientHelloTooShort => "tls_client_hello_too_short",
        CloseReason.TlsClientHelloTooLong => "tls_client_hello_too_long",
        CloseReason.TlsBadClientHello => "tls_bad_client_hello",
        CloseReason.TlsInvalidDigest => "tls_invalid_digest",
        CloseReason.TlsMissingKeyShareExt => "tls_missing_key_share_ext",
        CloseReason.TlsUnsupportedKeyShares => "tls_unsupported_key_shares",
        CloseReason.TlsNoCommonCipher => "tls_no_common_cipher",
        CloseReason.TlsNoSni => "tls_no_sni",
        CloseReason.TlsTime => "tls_time",
        CloseReason.ReplaySessionDetected => "replay_session_detected",
        CloseReason.TlsBeforeStart => "tls_before_start",
        CloseReason.PolicyError => "policy_error",
        CloseReason.AddressRate => "address_rate",
        CloseReason.TlsBadInnerProtocol => "tls_bad_inner_protocol",
        CloseReason.TlsBadRecord => "tls_bad_record",
        CloseReason.AbridgedMaxSize => "abridged_max_size",
        CloseReason.IntermediateMaxSize => "intermediate_max_size",
        CloseReason.ZeroLength => "zero_length",
        CloseReason.Unaligned => "unaligned",
        _ => throw new UnreachableException($"CloseReason {(int)reason} has no tag"),
    };

    /// <summary>Whose doing it was.</summary>
    public static GuiltySide Side(this CloseReason reason) => reason switch
    {
        CloseReason.DcClosed or CloseReason.DcReset or CloseReason.DcConnectFailed or CloseReason.DcConnectTimeout
            or CloseReason.PoolEmpty or CloseReason.MidSend => GuiltySide.Telegram,
        CloseReason.CoverClosed or CloseReason.CoverReset or CloseReason.CoverConnectFailed or CloseReason.CoverConnectTimeout =>
            GuiltySide.Cover,
        CloseReason.ConnectionLimit or CloseReason.ProxyHeader or CloseReason.CoverLimit or CloseReason.Shutdown
            or CloseReason.SecretRemoved or CloseReason.ListenerRemoved or CloseReason.EndedByOperator
            or CloseReason.UserDisabled or CloseReason.UserExpired or CloseReason.UserQuota or CloseReason.UserConnections
            or CloseReason.UserNetworks => GuiltySide.Operator,
        CloseReason.InternalError or CloseReason.MemoryPressure or CloseReason.Memory => GuiltySide.Proxy,
        CloseReason.ClientClosed or CloseReason.ClientReset or CloseReason.HandshakeTimeout or CloseReason.HeaderTimeout
            or CloseReason.IdleTimeout or CloseReason.ClientWriteTimeout
            or CloseReason.ClientQueueLimit or CloseReason.PacketTimeout or CloseReason.MemoryLimit or CloseReason.AddressLimit
                or CloseReason.UnknownDc => GuiltySide.Client,
        _ when reason.IsProtocolError() => GuiltySide.Client,
        _ => throw new UnreachableException($"CloseReason {(int)reason} has no side"),
    };

    /// <summary>The label of a side.</summary>
    public static string Tag(this GuiltySide side) => side switch
    {
        GuiltySide.Client => "client",
        GuiltySide.Telegram => "telegram",
        GuiltySide.Cover => "cover",
        GuiltySide.Operator => "operator",
        GuiltySide.Proxy => "proxy",
        _ => throw new UnreachableException($"GuiltySide {(int)side} has no tag"),
    };

    /// <summary>What an operator laid down for a user keeps it out, or ends it.</summary>
    public static bool IsUserLimit(this CloseReason reason) => reason is >= CloseReason.UserDisabled and <= CloseReason.UserNetworks;

    /// <summary>True for the reasons that count as <c>portico_protocol_error_total</c>.</summary>
    public static bool IsProtocolError(this CloseReason reason) => reason >= CloseReason.UnknownProtocol;

    /// <summary>One session's end is no news (Debug): outages are told as such. A fault of ours the operator must see (Error).</summary>
    public static LogLevel Level(this CloseReason reason) => reason == CloseReason.InternalError ? LogLevel.Error : LogLevel.Debug;
}
