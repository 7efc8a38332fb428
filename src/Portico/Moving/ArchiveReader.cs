using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Portico.Moving;

/// <summary>
/// Reads an archive (<see cref="ArchiveFormat"/>) in one pass. What it gives was sealed; it is whole once there is no next file.
/// </summary>
internal sealed class ArchiveReader : IDisposable
{
    private const string IsCut = "ends too early: it was not copied whole; copy it again, or export anew";

    private readonly Stream _from;
    private readonly IPieceSeal _seal;
    private readonly bool _isProtected;
    private readonly byte[] _piece = new byte[ArchiveFormat.MostPieceLength + ArchiveFormat.SealLength];
    private PieceKind _kind;
    private int _length;
    private bool _hasOpened;

    /// <param name="from">The archive, from its beginning on.</param>
    /// <param name="passphrase">Null = none was given.</param>
    /// <exception cref="ArchiveException">It is none, or not one for this passphrase.</exception>
    public ArchiveReader(Stream from, byte[]? passphrase)
    {
        Span<byte> header = stackalloc byte[ArchiveFormat.HeaderLength];
        var count = from.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
        if (!header[..count].StartsWith(ArchiveFormat.Name))
            throw new ArchiveException("is not what `portico export` writes");
        if (count < header.Length) throw new ArchiveException(IsCut);
        if (header[ArchiveFormat.VersionOffset] is var version and not ArchiveFormat.Version)
        {
            throw new ArchiveException(string.Create(
                CultureInfo.InvariantCulture,
                $"is of version {version}, written by a newer Portico, and this one reads version "
                    + $"{ArchiveFormat.Version}; bring this one up to date"));
        }

        _isProtected = header[ArchiveFormat.ProtectionOffset] switch
        {
            0 => false,
            1 => true,
            _ => throw new ArchiveException("was altered"),
        };
        if (_isProtected && passphrase is null)
            throw new ArchiveException("is protected by a passphrase; name the file that holds it with --passphrase-file");
        if (!_isProtected && passphrase is not null)
        {
            throw new ArchiveException(
                "is not protected by a passphrase, though one was given: perhaps it is not the one that was exported; "
                    + "leave --passphrase-file away if it is");
        }

        (_from, _seal) = (from, _isProtected ? new PassphraseSeal(header, passphrase) : new ChecksumSeal(header));
    }

    /// <summary>Goes on to the next file; what is left of this one's content is passed over.</summary>
    /// <param name="name">Of the file.</param>
    /// <param name="asOf">When it was written.</param>
    /// <returns>False after the last one: the archive is whole.</returns>
    /// <exception cref="ArchiveException">It is not.</exception>
    public bool TryNext(out string name, out DateTimeOffset asOf)
    {
        (name, asOf) = ("", default);
        if (!_hasOpened) ReadPiece();
        while (_kind == PieceKind.Content) ReadPiece();
        if (_kind == PieceKind.End)
        {
            if (_length > 0 || _from.ReadByte() >= 0)
                throw new ArchiveException("goes on behind its end: it was altered; export anew");
            return false;
        }

        var nameLength = _length - ArchiveFormat.TimeLength;
        if (nameLength is <= 0 or > ArchiveFormat.MostNameLength) throw Altered();
        name = Encoding.ASCII.GetString(_piece, ArchiveFormat.TimeLength, nameLength);
        var seconds = BinaryPrimitives.ReadInt64LittleEndian(_piece);
        asOf = DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(seconds, 0, uint.MaxValue));
        ReadPiece();
        return true;
    }

    /// <summary>Copies the content of the file.</summary>
    /// <param name="to">Takes it.</param>
    /// <param name="most">Bytes that it may have.</param>
    /// <exception cref="ArchiveException">It has more, or the archive is not whole.</exception>
    public void CopyTo(Stream to, long most = long.MaxValue)
    {
        for (; _kind == PieceKind.Content; ReadPiece())
        {
            most -= _length;
            if (most < 0)
                throw new ArchiveException("holds a file that is longer than any of its kind: it was altered; export anew");
            to.Write(_piece, 0, _length);
        }
    }

    public void Dispose() => _seal.Dispose();

    private void ReadPiece()
    {
        Span<byte> header = stackalloc byte[ArchiveFormat.PieceHeaderLength];
        if (_from.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) < header.Length)
            throw new ArchiveException(IsCut);
        var length = BinaryPrimitives.ReadUInt32LittleEndian(header[1..]);
        if (length > ArchiveFormat.MostPieceLength) throw Altered();
        _length = (int)length;
        var whole = _piece.AsSpan(0, _length + ArchiveFormat.SealLength);
        if (_from.ReadAtLeast(whole, whole.Length, throwOnEndOfStream: false) < whole.Length)
            throw new ArchiveException(IsCut);
        if (!_seal.TryOpen(header, whole[.._length], whole[_length..])) throw Altered();
        _kind = (PieceKind)header[0];
        var isRight = _kind switch
        {
            PieceKind.File or PieceKind.End => true,
            PieceKind.Content => _hasOpened, // of a file
            _ => false,
        };
        _hasOpened = true;
        if (!isRight) throw Altered();
    }

    private ArchiveException Altered() => new(
        _isProtected && !_hasOpened
            ? "cannot be opened: the passphrase is another one than at the export, or the file was altered"
            : "was altered, on the way or on its disk; copy it again, or export anew");
}
