using System.Buffers.Binary;

namespace Portico.Protocol.FakeTls;

/// <summary>Writes TLS structures one after the other. The caller's span is long enough by construction.</summary>
internal ref struct TlsBuilder(Span<byte> bytes)
{
    private readonly Span<byte> _bytes = bytes;

    internal int Length { get; private set; }

    internal Span<byte> Take(int length)
    {
        var taken = _bytes.Slice(Length, length);
        Length += length;
        return taken;
    }

    internal void Write(scoped ReadOnlySpan<byte> bytes) => bytes.CopyTo(Take(bytes.Length));

    internal void WriteByte(byte value) => Take(1)[0] = value;

    internal void WriteUInt16(int value) => BinaryPrimitives.WriteUInt16BigEndian(Take(2), (ushort)value);

    /// <summary>Leaves room for the two length bytes of a vector.</summary>
    /// <returns>The mark that <see cref="EndVector"/> takes.</returns>
    internal int BeginVector()
    {
        Take(2);
        return Length;
    }

    internal readonly void EndVector(int mark) => BinaryPrimitives.WriteUInt16BigEndian(_bytes[(mark - 2)..], (ushort)(Length - mark));
}
