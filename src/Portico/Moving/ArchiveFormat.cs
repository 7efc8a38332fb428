namespace Portico.Moving;

/// <summary>What a piece of an archive is.</summary>
internal enum PieceKind : byte
{
    /// <summary>A file begins: its time and its name.</summary>
    File = 1,

    /// <summary>Some of its content.</summary>
    Content = 2,

    /// <summary>The archive is whole; nothing follows.</summary>
    End = 3,
}

/// <summary>
/// One file with everything that moves with a proxy: files in pieces, each sealed together with its place, so that what was cut off,
/// changed or put elsewhere is noticed before it is believed, and no length is announced that somebody would have to trust.
/// </summary>
/// <remarks>
/// <code>
/// 7    "PTCMOVE"
/// 1    version, 1
/// 1    0 = open, 1 = by a passphrase
/// 16   salt, random
///      then pieces:
/// 1    what it is
/// 4    how many bytes, at most 65536
/// n    the bytes
/// 16   the seal
/// </code>
/// Numbers are little-endian. A file's name is the bytes behind 8 with its time, Unix seconds. The seal is over the header, the number of
/// the piece (8 bytes, from 0), the first five bytes and the bytes of the piece. By a passphrase it is the tag of AES-256-GCM, which also
/// makes the bytes unreadable: key = PBKDF2-HMAC-SHA-256 of the passphrase and the salt, 600 000 times; nonce = the piece's number and four
/// zeros, which does not repeat, as each archive has a key of its own. Open, it is the first 16 bytes of SHA-256 over all that: it finds
/// accidents, not those who can write the file. There is no compression: nearly all of it is hashes, and nothing can swell when it is read.
/// Nor is it tar: readers of that believe the sizes that it announces, and its names may lead anywhere.
/// </remarks>
internal static class ArchiveFormat
{
    public const byte Version = 1;

    public const int SaltLength = 16, SaltOffset = 9, HeaderLength = SaltOffset + SaltLength;

    public const int VersionOffset = 7, ProtectionOffset = 8;

    public const int PieceHeaderLength = 5, MostPieceLength = 65536, SealLength = 16;

    public const int TimeLength = sizeof(long), MostNameLength = 64;

    /// <summary>What the configuration is called in an archive. The other names are those of the data directory.</summary>
    public const string ConfigurationName = "portico.json";

    public static ReadOnlySpan<byte> Name => "PTCMOVE"u8;
}
