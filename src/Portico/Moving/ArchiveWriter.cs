using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Portico.Moving;

/// <summary>Writes an archive (<see cref="ArchiveFormat"/>) in one pass, a piece in memory.</summary>
internal sealed class ArchiveWriter : IDisposable
{
    private readonly Stream _to;
    private readonly IPieceSeal _seal;
    private readonly byte[] _piece = new byte[ArchiveFormat.PieceHeaderLength + ArchiveFormat.MostPieceLength + ArchiveFormat.SealLength];

    /// <param name="to">Takes the archive, from its beginning on.</param>
    /// <param name="passphrase">Null = everybody may read it.</param>
    public ArchiveWriter(Stream to, byte[]? passphrase)
    {
        Span<byte> header = stackalloc byte[ArchiveFormat.HeaderLength];
        ArchiveFormat.Name.CopyTo(header);
        header[ArchiveFormat.VersionOffset] = ArchiveFormat.Version;
        header[ArchiveFormat.ProtectionOffset] = passphrase is null ? (byte)0 : (byte)1;
        RandomNumberGenerator.Fill(header[ArchiveFormat.SaltOffset..]);
        to.Write(header);
        (_to, _seal) = (to, passphrase is null ? new ChecksumSeal(header) : new PassphraseSeal(header, passphrase));
    }

    private Span<byte> Content => _piece.AsSpan(ArchiveFormat.PieceHeaderLength, ArchiveFormat.MostPieceLength);

    /// <summary>Adds a file.</summary>
    /// <param name="name">ASCII.</param>
    /// <param name="asOf">When it was written.</param>
    /// <param name="from">Its content.</param>
    /// <param name="most">Bytes at which it ends, even if it has grown meanwhile.</param>
    /// <returns>So many bytes it had.</returns>
    public long Add(string name, DateTimeOffset asOf, Stream from, long most)
    {
        BinaryPrimitives.WriteInt64LittleEndian(Content, asOf.ToUnixTimeSeconds());
        Write(PieceKind.File, ArchiveFormat.TimeLength + Encoding.ASCII.GetBytes(name, Content[ArchiveFormat.TimeLength..]));
        var left = most;
        while (left > 0 && from.Read(Content[..(int)Math.Min(left, Content.Length)]) is var count and > 0)
        {
            Write(PieceKind.Content, count);
            left -= count;
        }

        return most - left;
    }

    /// <summary>After the last file: without this the archive is not whole.</summary>
    public void Finish() => Write(PieceKind.End, 0);

    public void Dispose() => _seal.Dispose();

    private void Write(PieceKind kind, int length)
    {
        var header = _piece.AsSpan(0, ArchiveFormat.PieceHeaderLength);
        header[0] = (byte)kind;
        BinaryPrimitives.WriteInt32LittleEndian(header[1..], length);
        var end = header.Length + length;
        _seal.Close(header, Content[..length], _piece.AsSpan(end, ArchiveFormat.SealLength));
        _to.Write(_piece.AsSpan(0, end + ArchiveFormat.SealLength));
    }
}
