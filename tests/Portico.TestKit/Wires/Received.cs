namespace Portico.TestKit.Wires;

/// <summary>
/// Everything a peer did until it ended: a value for assertions, so that a failing test shows bytes and not an exception.
/// </summary>
/// <param name="Bytes">What it sent.</param>
/// <param name="End">How it stopped.</param>
public sealed record Received(byte[] Bytes, PeerEnd End)
{
    /// <summary>A peer that said nothing and ended.</summary>
    public static Received Nothing(PeerEnd end) => new([], end);

    /// <summary>
    /// One alert of a TLS 1.3 server, encrypted, and FIN:
    /// its answer to a record that it cannot decrypt (19 bytes of application data).
    /// </summary>
    public bool IsEncryptedAlertAndFin => End == PeerEnd.Fin && Bytes is [0x17, 3, 3, 0, 19, ..] && Bytes.Length == 24;

    /// <summary>Lower-case hex of the bytes.</summary>
    public string Hex => Convert.ToHexStringLower(Bytes);

    /// <inheritdoc/>
    public bool Equals(Received? other) => other is not null && End == other.End && Bytes.AsSpan().SequenceEqual(other.Bytes);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Bytes.Length, End);

    /// <inheritdoc/>
    public override string ToString() => $"{Bytes.Length} bytes [{(Bytes.Length <= 64 ? Hex : Hex[..128] + "...")}] then {End}";
}
