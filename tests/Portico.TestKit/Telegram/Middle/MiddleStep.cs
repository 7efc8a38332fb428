namespace Portico.TestKit.Telegram.Middle;

/// <summary>
/// The moments of a link at which a middle proxy may fail, in their order.
/// A step that ends in Came is one at which the middle proxy has something to say.
/// </summary>
public enum MiddleStep
{
    /// <summary>The connection is there, nothing was read.</summary>
    Accepted,

    /// <summary>Instead of the answer to RPC_NONCE.</summary>
    NonceCame,

    /// <summary>After it.</summary>
    NonceSent,

    /// <summary>Instead of the answer to RPC_HANDSHAKE.</summary>
    HandshakeCame,

    /// <summary>After it: the link is ready and idle.</summary>
    HandshakeSent,

    /// <summary>Instead of the answer to the first request.</summary>
    RequestCame,

    /// <summary>After it.</summary>
    AnswerSent,
}
