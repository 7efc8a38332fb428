using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Portico.Moving;

/// <summary>Seals the pieces of one archive, or opens them; either in order, each once.</summary>
internal interface IPieceSeal : IDisposable
{
    /// <summary>Seals a piece where it stands.</summary>
    /// <param name="pieceHeader">Its first five bytes.</param>
    /// <param name="content">Its bytes; afterwards as the archive has them.</param>
    /// <param name="seal">16 bytes to fill.</param>
    void Close(ReadOnlySpan<byte> pieceHeader, Span<byte> content, Span<byte> seal);

    /// <summary>The other way around.</summary>
    /// <returns>False if it is not the piece that was sealed.</returns>
    bool TryOpen(ReadOnlySpan<byte> pieceHeader, Span<byte> content, ReadOnlySpan<byte> seal);
}

/// <summary>What all pieces have in common: the header, and their number.</summary>
internal sealed class PieceContext(ReadOnlySpan<byte> header)
{
    private const int NumberOffset = ArchiveFormat.HeaderLength, PieceOffset = NumberOffset + sizeof(long);

    private readonly byte[] _bytes = [.. header, .. new byte[sizeof(long) + ArchiveFormat.PieceHeaderLength]];

    // The next one gets it.
    private long _number;

    /// <summary>What the next piece is sealed with besides its content.</summary>
    public ReadOnlySpan<byte> Next(ReadOnlySpan<byte> pieceHeader)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_bytes.AsSpan(NumberOffset), _number++);
        pieceHeader.CopyTo(_bytes.AsSpan(PieceOffset));
        return _bytes;
    }

    /// <summary>The number of that piece, as it was sealed with it.</summary>
    public ReadOnlySpan<byte> Number => _bytes.AsSpan(NumberOffset, sizeof(long));
}

/// <summary>For an archive that everybody may read: finds accidents.</summary>
internal sealed class ChecksumSeal(ReadOnlySpan<byte> header) : IPieceSeal
{
    private readonly PieceContext _context = new(header);
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public void Close(ReadOnlySpan<byte> pieceHeader, Span<byte> content, Span<byte> seal)
    {
        Span<byte> sum = stackalloc byte[SHA256.HashSizeInBytes];
        _hash.AppendData(_context.Next(pieceHeader));
        _hash.AppendData(content);
        _hash.GetHashAndReset(sum);
        sum[..ArchiveFormat.SealLength].CopyTo(seal);
    }

    public bool TryOpen(ReadOnlySpan<byte> pieceHeader, Span<byte> content, ReadOnlySpan<byte> seal)
    {
        Span<byte> right = stackalloc byte[ArchiveFormat.SealLength];
        Close(pieceHeader, content, right);
        return seal.SequenceEqual(right);
    }

    public void Dispose() => _hash.Dispose();
}

/// <summary>By a passphrase: whoever does not know it can neither read nor change anything.</summary>
internal sealed class PassphraseSeal : IPieceSeal
{
    /// <summary>Some tenths of a second on today's machines, once for each archive; for each guess too.</summary>
    public const int Iterations = 600_000;

    private const int KeyLength = 32, NonceLength = 12;

    private readonly PieceContext _context;
    private readonly AesGcm _cipher;

    /// <param name="header">Of the archive.</param>
    /// <param name="passphrase">As it was read.</param>
    public PassphraseSeal(ReadOnlySpan<byte> header, ReadOnlySpan<byte> passphrase)
    {
        _context = new PieceContext(header);
        var salt = header.Slice(ArchiveFormat.SaltOffset, ArchiveFormat.SaltLength);
        Span<byte> key = stackalloc byte[KeyLength];
        Rfc2898DeriveBytes.Pbkdf2(passphrase, salt, key, Iterations, HashAlgorithmName.SHA256);
        _cipher = new AesGcm(key, ArchiveFormat.SealLength);
        CryptographicOperations.ZeroMemory(key);
    }

    public void Close(ReadOnlySpan<byte> pieceHeader, Span<byte> content, Span<byte> seal)
    {
        var with = _context.Next(pieceHeader);
        Span<byte> nonce = stackalloc byte[NonceLength];
        FillNonce(nonce);
        _cipher.Encrypt(nonce, content, content, seal, with);
    }

    public bool TryOpen(ReadOnlySpan<byte> pieceHeader, Span<byte> content, ReadOnlySpan<byte> seal)
    {
        var with = _context.Next(pieceHeader);
        Span<byte> nonce = stackalloc byte[NonceLength];
        FillNonce(nonce);
        try
        {
            _cipher.Decrypt(nonce, content, seal, content, with);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    public void Dispose() => _cipher.Dispose();

    private void FillNonce(Span<byte> nonce)
    {
        nonce.Clear();
        _context.Number.CopyTo(nonce);
    }
}
