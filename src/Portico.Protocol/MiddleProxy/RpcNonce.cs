using System.Buffers.Binary;

namespace Portico.Protocol.MiddleProxy;

/// <summary>
/// RPC_NONCE, the first message of each side and the only one in the clear (spec/03 section 2.1):
/// the randomness that both keys come from. Points into the bytes it was read from.
/// </summary>
/// <remarks>
/// <code>
///  [0..4) constructor | [4..8) key selector | [8..12) schema = 1 | [12..16) Unix time | [16..32) nonce
/// </code>
/// </remarks>
public readonly ref struct RpcNonce
{
    /// <summary>Length of the payload, in bytes.</summary>
    public const int Length = 32;

    /// <summary>Length of the nonce, in bytes.</summary>
    public const int NonceLength = 16;

    private const int SelectorOffset = 4;
    private const int SchemaOffset = 8;
    private const int TimestampOffset = 12;
    private const int NonceOffset = 16;
    private const uint AesSchema = 1;

    private RpcNonce(ReadOnlySpan<byte> payload)
    {
        Timestamp = BinaryPrimitives.ReadUInt32LittleEndian(payload[TimestampOffset..]);
        Nonce = payload[NonceOffset..];
    }

    /// <summary>
    /// The sender's clock in Unix seconds. Servers refuse one more than 30 s from their own;
    /// what the other side says is worth a warning, not an end.
    /// </summary>
    public uint Timestamp { get; }

    /// <summary>16 random bytes.</summary>
    public ReadOnlySpan<byte> Nonce { get; }

    /// <summary>Writes the payload.</summary>
    /// <param name="destination">Receives 32 bytes.</param>
    /// <param name="keySelector">Which secret the sender has: <c>MiddleProxySecret.KeySelector</c>.</param>
    /// <param name="timestamp">The sender's clock in Unix seconds; the proxy's is part of the keys.</param>
    /// <param name="nonce">16 random bytes.</param>
    public static void Write(Span<byte> destination, uint keySelector, uint timestamp, ReadOnlySpan<byte> nonce)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination, RpcConstructors.Nonce);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[SelectorOffset..], keySelector);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[SchemaOffset..], AesSchema);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[TimestampOffset..], timestamp);
        nonce[..NonceLength].CopyTo(destination[NonceOffset..]);
    }

    /// <summary>Reads the other side's message, whichever side that is.</summary>
    /// <param name="payload">The whole payload of the first frame.</param>
    /// <param name="keySelector">The reader's own: both must have the same secret.</param>
    /// <param name="message">Time and nonce.</param>
    /// <param name="error">
    /// Unless true: <see cref="MiddleProxyError.UnexpectedMessage"/>,
    /// <see cref="MiddleProxyError.WrongCryptoSchema"/> or <see cref="MiddleProxyError.WrongKeySelector"/>.
    /// </param>
    public static bool TryRead(ReadOnlySpan<byte> payload, uint keySelector, out RpcNonce message, out MiddleProxyError error)
    {
        message = default;
        if (payload.Length != Length || BinaryPrimitives.ReadUInt32LittleEndian(payload) != RpcConstructors.Nonce)
            error = MiddleProxyError.UnexpectedMessage;
        else if (BinaryPrimitives.ReadUInt32LittleEndian(payload[SchemaOffset..]) != AesSchema)
            error = MiddleProxyError.WrongCryptoSchema;
        else if (BinaryPrimitives.ReadUInt32LittleEndian(payload[SelectorOffset..]) != keySelector)
            error = MiddleProxyError.WrongKeySelector;
        else
        {
            message = new RpcNonce(payload);
            error = MiddleProxyError.None;
        }

        return error == MiddleProxyError.None;
    }
}
