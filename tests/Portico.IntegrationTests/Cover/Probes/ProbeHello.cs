using System.Collections.Immutable;
using System.Text;
using Portico.TestKit.Covers;

namespace Portico.IntegrationTests.Cover.Probes;

/// <summary>
/// An unsigned ClientHello of which every part can be wrong.
/// The defaults are a browser of TLS 1.3: 517 bytes, the cover's name, h2, an x25519 share.
/// </summary>
internal sealed record ProbeHello
{
    private const ushort Padding = 0x0015;

    public ushort RecordVersion { get; init; } = 0x0301;

    public ushort LegacyVersion { get; init; } = 0x0303;

    public int SessionIdLength { get; init; } = 32;

    public ImmutableArray<byte> Suites { get; init; } =
        [0x13, 1, 0x13, 2, 0x13, 3, 0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x2c, 0xc0, 0x30, 0xcc, 0xa9, 0xcc, 0xa8];

    public ImmutableArray<byte> Compression { get; init; } = [0];

    /// <summary>In order; default: no block at all, not even its length.</summary>
    public ImmutableArray<(ushort Type, byte[] Body)> Extensions { get; init; } =
    [
        (Extension.ServerName, Extension.Name(CoverServer.Name)),
        (Extension.MasterSecret, []),
        (Extension.Renegotiation, [0]),
        (Extension.Groups, [0, 6, 0, 0x1d, 0, 0x17, 0, 0x18]),
        (Extension.PointFormats, [1, 0]),
        (Extension.Ticket, []),
        (Extension.Alpn, Extension.Protocols("h2")),
        (Extension.SignatureAlgorithms, [0, 16, 4, 3, 8, 4, 4, 1, 5, 3, 8, 5, 5, 1, 8, 6, 6, 1]),
        (Extension.KeyShare, Extension.Shares((0x1d, RandomPoint()))),
        (Extension.KeyExchangeModes, [1, 1]),
        (Extension.Versions, [4, 3, 4, 3, 3]),
    ];

    /// <summary>Bytes with both headers that a padding extension makes it; 0 = none.</summary>
    public int PaddedLength { get; init; } = 517;

    /// <summary>What the last extension says it has more than it has.</summary>
    public int Overrun { get; init; }

    /// <summary>The length in the message's header, where it lies.</summary>
    public int? MessageLength { get; init; }

    /// <summary>The same with the extension put in place of the one of its type, or behind all.</summary>
    public ProbeHello With(ushort type, params byte[] body)
    {
        var at = Extensions.IndexOf(Extensions.FirstOrDefault(extension => extension.Type == type && extension.Body is not null));
        return this with { Extensions = at < 0 ? Extensions.Add((type, body)) : Extensions.SetItem(at, (type, body)) };
    }

    /// <summary>The same and the extension once more.</summary>
    public ProbeHello And(ushort type, params byte[] body) => this with { Extensions = Extensions.Add((type, body)) };

    /// <summary>The same without these.</summary>
    public ProbeHello Without(params ushort[] types) =>
        this with { Extensions = [.. Extensions.Where(extension => !types.Contains(extension.Type))] };

    /// <summary>The message in one record.</summary>
    public byte[] ToRecord() => Record(0x16, RecordVersion, ToMessage());

    /// <summary>The message in two records, <paramref name="first"/> bytes in the first.</summary>
    public byte[] ToRecords(int first)
    {
        var message = ToMessage();
        return [.. Record(0x16, RecordVersion, message.AsSpan(0, first)), .. Record(0x16, RecordVersion, message.AsSpan(first))];
    }

    /// <summary>Any record.</summary>
    public static byte[] Record(byte type, ushort version, ReadOnlySpan<byte> payload) =>
        [type, (byte)(version >> 8), (byte)version, (byte)(payload.Length >> 8), (byte)payload.Length, .. payload];

    private byte[] ToMessage()
    {
        List<byte> body =
        [
            (byte)(LegacyVersion >> 8), (byte)LegacyVersion, .. ProbeRandom.Bytes(32),
            (byte)SessionIdLength, .. ProbeRandom.Bytes(SessionIdLength),
        ];
        body.AddRange(Vector16(Suites.AsSpan()));
        body.AddRange([(byte)Compression.Length, .. Compression]);
        if (!Extensions.IsDefault)
            body.AddRange(Vector16(ToBlock(body.Count)));
        var length = MessageLength ?? body.Count;
        return [1, (byte)(length >> 16), (byte)(length >> 8), (byte)length, .. body];
    }

    private byte[] ToBlock(int before)
    {
        var extensions = Extensions;
        var length = 5 + 4 + before + 2 + extensions.Sum(extension => 4 + extension.Body.Length);
        if (PaddedLength >= length + 4)
            extensions = extensions.Add((Padding, new byte[PaddedLength - length - 4]));
        var block = new List<byte>();
        for (var i = 0; i < extensions.Length; i++)
        {
            var (type, body) = extensions[i];
            var says = body.Length + (i == extensions.Length - 1 ? Overrun : 0);
            block.AddRange([(byte)(type >> 8), (byte)type, (byte)(says >> 8), (byte)says, .. body]);
        }
        return [.. block];
    }

    private static byte[] Vector16(ReadOnlySpan<byte> bytes) => [(byte)(bytes.Length >> 8), (byte)bytes.Length, .. bytes];

    // Any 32 bytes below 2^255 are a key that servers compute with.
    private static byte[] RandomPoint()
    {
        var point = ProbeRandom.Bytes(32);
        point[31] &= 0x7f;
        return point;
    }
}

/// <summary>Numbers and bodies of extensions.</summary>
internal static class Extension
{
    public const ushort ServerName = 0x0000;
    public const ushort MaxFragmentLength = 0x0001;
    public const ushort Groups = 0x000a;
    public const ushort PointFormats = 0x000b;
    public const ushort SignatureAlgorithms = 0x000d;
    public const ushort Alpn = 0x0010;
    public const ushort MasterSecret = 0x0017;
    public const ushort Ticket = 0x0023;
    public const ushort EarlyData = 0x002a;
    public const ushort Versions = 0x002b;
    public const ushort KeyExchangeModes = 0x002d;
    public const ushort KeyShare = 0x0033;
    public const ushort Renegotiation = 0xff01;

    /// <summary>server_name with one host.</summary>
    public static byte[] Name(string host)
    {
        var name = Encoding.ASCII.GetBytes(host);
        return [0, (byte)(name.Length + 3), 0, 0, (byte)name.Length, .. name];
    }

    /// <summary>ALPN.</summary>
    public static byte[] Protocols(params string[] names)
    {
        byte[] list = [.. names.SelectMany(name => (byte[])[(byte)name.Length, .. Encoding.ASCII.GetBytes(name)])];
        return [0, (byte)list.Length, .. list];
    }

    /// <summary>key_share.</summary>
    public static byte[] Shares(params (int Group, byte[] Key)[] shares)
    {
        byte[] list = [.. shares.SelectMany(share =>
            (byte[])[(byte)(share.Group >> 8), (byte)share.Group, (byte)(share.Key.Length >> 8), (byte)share.Key.Length, .. share.Key])];
        return [(byte)(list.Length >> 8), (byte)list.Length, .. list];
    }
}
