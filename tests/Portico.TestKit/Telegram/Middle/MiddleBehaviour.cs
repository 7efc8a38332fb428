using System.Net;
using Portico.Protocol.TelegramConfig;

namespace Portico.TestKit.Telegram.Middle;

/// <summary>What is wrong with a middle proxy on one connection. The default: nothing.</summary>
public sealed record MiddleBehaviour
{
    /// <summary>An honest middle proxy.</summary>
    public static readonly MiddleBehaviour Good = new();

    /// <summary>When <see cref="Fault"/> happens; null = never.</summary>
    public MiddleStep? FailsAt { get; init; }

    public MiddleFault Fault { get; init; }

    /// <summary>The proxy's address as Telegram sees it, part of the keys; null = what the kernel says.</summary>
    public IPAddress? ProxyAddress { get; init; }

    /// <summary>The key selector it answers with; null = the right one.</summary>
    public uint? KeySelector { get; init; }

    /// <summary>The crypto schema it answers with; null = AES.</summary>
    public uint? Schema { get; init; }

    /// <summary>How far its clock is ahead of the real one.</summary>
    public TimeSpan ClockAhead { get; init; }

    /// <summary>The secret it derives keys from; null = the right one. The selectors agree none the less.</summary>
    public MiddleProxySecret? OtherSecret { get; init; }

    /// <summary>Flags of its RPC_HANDSHAKE.</summary>
    public uint HandshakeFlags { get; init; }

    /// <summary>12 bytes: whom its RPC_HANDSHAKE says it answers; null = the proxy.</summary>
    public byte[]? PeerPid { get; init; }

    /// <summary>Answers RPC_HANDSHAKE with RPC_HANDSHAKE_ERROR of this code, then FIN.</summary>
    public int? RefusesWith { get; init; }

    /// <summary>Bytes per write.</summary>
    public int Piece { get; init; } = int.MaxValue;

    /// <summary>Pads its RPC_NONCE to whole blocks, as some servers do though nothing is encrypted yet.</summary>
    public bool PadsNonce { get; init; }

    /// <summary>
    /// Pads behind every frame. Otherwise as Telegram: once behind all that
    /// is written together, so that frames begin on any border of four bytes.
    /// </summary>
    public bool PadsEveryFrame { get; init; }

    /// <summary>Surplus padding behind every write, in bytes: a multiple of 16.</summary>
    public int SurplusPadding { get; init; }

    /// <summary>Does not keep the packets of requests: for tests that move much.</summary>
    public bool IsForgetful { get; init; }

    /// <summary>Reads only while this is open; null = always. Closed, it is a server that does not keep up.</summary>
    public Gate? Reading { get; init; }

    /// <summary>
    /// Answers requests only while this is open; null = always.
    /// What comes meanwhile is read and answered later, in order.
    /// </summary>
    public Gate? Answering { get; init; }
}
