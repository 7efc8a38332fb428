using System.Diagnostics;

namespace Portico.Protocol.MiddleProxy;

/// <summary>
/// Why bytes of a middle proxy were not accepted. Each of them ends the connection,
/// and with it the clients it carried (spec/03 section 3).
/// </summary>
public enum MiddleProxyError : byte
{
    /// <summary>Nothing is wrong.</summary>
    None,

    /// <summary>A frame whose length is not a multiple of four.</summary>
    WrongAlignment,

    /// <summary>A frame shorter than its own header and checksum, or longer than allowed.</summary>
    WrongLength,

    /// <summary>A frame out of order.</summary>
    WrongSequence,

    /// <summary>A frame whose checksum does not fit: bytes were lost, or the keys of the two sides differ.</summary>
    WrongChecksum,

    /// <summary>During the handshake: another constructor than expected, or a length that this one does not have.</summary>
    UnexpectedMessage,

    /// <summary>RPC_NONCE with another encryption than AES.</summary>
    WrongCryptoSchema,

    /// <summary>RPC_NONCE that names another secret than ours: one of the two is outdated.</summary>
    WrongKeySelector,

    /// <summary>RPC_HANDSHAKE with flags nobody asked for.</summary>
    WrongHandshakeFlags,

    /// <summary>RPC_HANDSHAKE that answers somebody else.</summary>
    WrongPeerPid,

    /// <summary>RPC_HANDSHAKE_ERROR; its code is in <see cref="RpcHandshakeError"/>.</summary>
    HandshakeRefused,
}

/// <summary>Names of <see cref="MiddleProxyError"/> values on the outside.</summary>
public static class MiddleProxyErrors
{
    /// <summary>
    /// The snake_case name used in metrics and logs;
    /// those of frames are the names of spec/03 section 3, misspelling included.
    /// </summary>
    /// <exception cref="UnreachableException">The value has no name: a programming error, caught by a test over all values.</exception>
    public static string Tag(this MiddleProxyError error) => error switch
    {
        MiddleProxyError.None => "none",
        MiddleProxyError.WrongAlignment => "wrong_alignement",
        MiddleProxyError.WrongLength => "wrong_msg_len",
        MiddleProxyError.WrongSequence => "wrong_seq_no",
        MiddleProxyError.WrongChecksum => "wrong_checksum",
        MiddleProxyError.UnexpectedMessage => "unexpected_message",
        MiddleProxyError.WrongCryptoSchema => "wrong_crypto_schema",
        MiddleProxyError.WrongKeySelector => "wrong_key_selector",
        MiddleProxyError.WrongHandshakeFlags => "wrong_handshake_flags",
        MiddleProxyError.WrongPeerPid => "wrong_peer_pid",
        MiddleProxyError.HandshakeRefused => "handshake_refused",
        _ => throw new UnreachableException($"MiddleProxyError {(int)error} has no tag"),
    };
}
