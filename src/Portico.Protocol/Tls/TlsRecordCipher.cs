using System.Buffers.Binary;
using System.Security.Cryptography;
using Portico.Protocol.FakeTls;

namespace Portico.Protocol.Tls;

/// <summary>What a record of TLS 1.3 carries (RFC 8446 section 5.1).</summary>
public enum TlsContent : byte
{
    /// <summary>None that was read.</summary>
    None = 0,

    /// <summary>Goes between old servers and their clients; here it is skipped.</summary>
    ChangeCipherSpec = TlsWire.ChangeCipherSpecType,

    /// <summary>Two bytes: how bad, and what.</summary>
    Alert = TlsWire.AlertType,

    /// <summary>A message of the handshake protocol.</summary>
    Handshake = TlsWire.HandshakeType,

    /// <summary>The application's.</summary>
    ApplicationData = TlsWire.ApplicationDataType,
}

/// <summary>
/// Seals the records of one direction, or opens them (RFC 8446 section 5.2), in their order. Belongs to one thread at a time.
/// </summary>
/// <remarks>
/// <code>
/// 17 03 03 | length: 2 | encrypted( content | type: 1 | zeros ) | tag: 16        length counts what follows it
/// </code>
/// </remarks>
public sealed class TlsRecordCipher : IDisposable
{
    /// <summary>Type, version and length.</summary>
    public const int HeaderLength = TlsWire.RecordHeaderLength;

    /// <summary>What a record has beyond its content, in bytes.</summary>
    public const int Overhead = HeaderLength + 1 + TagLength;

    /// <summary>Most content of a record.</summary>
    public const int MaxContent = 16384;

    /// <summary>Most that may follow a header: content, its type, padding and the tag.</summary>
    public const int MaxBody = MaxContent + 256;

    private const int TagLength = 16;

    private readonly byte[] _nonce;
    private readonly AesGcm _aes;
    private ulong _sequence;

    internal TlsRecordCipher(byte[] key, byte[] nonce, ulong sequence)
    {
        (_nonce, _sequence) = (nonce, sequence);
        _aes = new AesGcm(key, TagLength);
    }

    /// <summary>Bytes of the first record, header and all.</summary>
    /// <param name="bytes">From its first byte on.</param>
    /// <param name="length">Its bytes, if the header is there.</param>
    public static FrameStatus TryMeasure(ReadOnlySpan<byte> bytes, out int length)
    {
        length = 0;
        if (bytes.Length < HeaderLength) return FrameStatus.NeedMoreData;
        var body = BinaryPrimitives.ReadUInt16BigEndian(bytes[3..]);
        if (body > MaxBody || bytes[1] != TlsWire.VersionByte) return FrameStatus.Invalid;
        length = HeaderLength + body;
        return bytes.Length < length ? FrameStatus.NeedMoreData : FrameStatus.Ok;
    }

    /// <summary>Writes a record.</summary>
    /// <param name="content">At most <see cref="MaxContent"/> bytes.</param>
    /// <param name="type">Of the content.</param>
    /// <param name="target">Room for <see cref="Overhead"/> more than that, elsewhere.</param>
    /// <returns>Its bytes.</returns>
    /// <exception cref="ArgumentOutOfRangeException">Too much content.</exception>
    public int Seal(ReadOnlySpan<byte> content, TlsContent type, Span<byte> target) => Seal([], content, type, target);

    /// <summary>Writes a record whose content lies in two pieces.</summary>
    /// <inheritdoc cref="Seal(ReadOnlySpan{byte}, TlsContent, Span{byte})"/>
    public int Seal(ReadOnlySpan<byte> head, ReadOnlySpan<byte> content, TlsContent type, Span<byte> target)
    {
        var length = head.Length + content.Length;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, MaxContent, nameof(content));
        var header = target[..HeaderLength];
        var body = target.Slice(HeaderLength, length + 1);
        WriteHeader(header, body.Length + TagLength);
        head.CopyTo(body);
        content.CopyTo(body[head.Length..]);
        body[^1] = (byte)type;
        Span<byte> nonce = stackalloc byte[TlsTrafficSecret.NonceLength];
        WriteNonce(nonce);
        _sequence++;
        var tag = target.Slice(HeaderLength + body.Length, TagLength);
        _aes.Encrypt(nonce, body, body, tag, header);
        return length + Overhead;
    }

    /// <summary>Opens a record in place.</summary>
    /// <param name="record">Whole, as <see cref="TryMeasure"/> has found it.</param>
    /// <param name="type">Of the content.</param>
    /// <param name="length">Bytes of content, behind <see cref="HeaderLength"/>.</param>
    /// <returns>False if it is not the next one that the peer has sealed.</returns>
    public bool TryOpen(Span<byte> record, out TlsContent type, out int length)
    {
        (type, length) = (TlsContent.None, 0);
        var body = record[HeaderLength..];
        if (body.Length <= TagLength || record[0] != TlsWire.ApplicationDataType) return false;
        var inner = body[..^TagLength];
        var tag = body[^TagLength..];
        Span<byte> nonce = stackalloc byte[TlsTrafficSecret.NonceLength];
        WriteNonce(nonce);
        try
        {
            _aes.Decrypt(nonce, inner, tag, inner, record[..HeaderLength]);
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }

        _sequence++;
        var end = inner.LastIndexOfAnyExcept((byte)0);
        if (end is < 0 or > MaxContent) return false;
        (type, length) = ((TlsContent)inner[end], end);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => _aes.Dispose();

    private static void WriteHeader(Span<byte> header, int length)
    {
        header[0] = TlsWire.ApplicationDataType;
        header[1] = header[2] = TlsWire.VersionByte;
        BinaryPrimitives.WriteUInt16BigEndian(header[3..], (ushort)length);
    }

    // Section 5.3.
    private void WriteNonce(Span<byte> nonce)
    {
        _nonce.CopyTo(nonce);
        var end = nonce[^sizeof(ulong)..];
        BinaryPrimitives.WriteUInt64BigEndian(end, BinaryPrimitives.ReadUInt64BigEndian(end) ^ _sequence);
    }
}
