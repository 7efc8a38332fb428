namespace Portico.Protocol.Framing;

/// <summary>
/// The four bytes by which a server confirms that a packet arrived,
/// long before its answer (spec/01 section 3.4). They travel without a header.
/// </summary>
public static class QuickAckToken
{
    /// <summary>Length in bytes, confirm value and wire form alike.</summary>
    public const int Length = 4;

    /// <summary>The server's side.</summary>
    /// <param name="transport">The client's framing; abridged reverses the bytes so that the marked one comes first.</param>
    /// <param name="confirm">The 4 bytes of RPC_SIMPLE_ACK. The last one has bit 7 set: that is how clients tell it from a packet.</param>
    /// <param name="wire">Receives 4 bytes.</param>
    public static void Write(Transport transport, ReadOnlySpan<byte> confirm, Span<byte> wire)
    {
        confirm[..Length].CopyTo(wire);
        if (transport == Transport.Abridged)
            wire[..Length].Reverse();
    }

    /// <summary>The client's side.</summary>
    /// <param name="transport">The client's framing.</param>
    /// <param name="wire">The payload of a <see cref="Frame"/> with <see cref="Frame.QuickAck"/>, 4 bytes.</param>
    /// <param name="confirm">Receives 4 bytes.</param>
    public static void Read(Transport transport, ReadOnlySpan<byte> wire, Span<byte> confirm) => Write(transport, wire, confirm);
}
