using System.Buffers.Binary;
using Portico.Fuzz.Checking;
using Portico.Moving;
using Portico.Protocol;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Targets.Moving;

/// <summary>What `portico import` is given. The seals are made right first: whoever writes an open archive can do that too.</summary>
internal sealed class ArchiveTarget : WholeTarget
{
    public override string Name => "archive";

    public override IReadOnlyCollection<string> Expected { get; } = ["Ok", "Invalid"];

    public override IEnumerable<byte[]> Seeds =>
    [
        Write(), Write(("portico.json", "{}"u8.ToArray())),
        Write(("portico.json", new byte[300]), ("clients-seen.1", []), ("version", [49])),
    ];

    public override IReadOnlyList<byte[]> Tokens { get; } =
    [
        [1, 9, 0, 0, 0], [2, 0, 0, 0, 0], [2, 0, 0, 1, 0], [2, 1, 0, 1, 0], [3, 0, 0, 0, 0], [0xff, 0xff, 0xff, 0xff],
        "../"u8.ToArray(), "portico.json"u8.ToArray(),
    ];

    protected override Outcome Read(ReadOnlySpan<byte> message)
    {
        _ = Open(message.ToArray()); // as it came
        return Open(Mended(message));
    }

    private static Outcome Open(byte[] archive)
    {
        var digest = new Digest();
        var (files, length) = (0, 0L);
        try
        {
            using var reader = new ArchiveReader(new MemoryStream(archive), null);
            while (reader.TryNext(out var name, out var asOf))
            {
                Demand(name.Length is > 0 and <= ArchiveFormat.MostNameLength, "gives a file without a name, or with one that is too long");
                var content = new MemoryStream();
                reader.CopyTo(content);
                length += content.Length;
                Demand(length <= archive.Length, "gives more than it was given");
                digest.Add(name).Add(asOf.ToUnixTimeSeconds()).Add(content.ToArray());
                files++;
            }
        }
        catch (ArchiveException problem)
        {
            Demand(problem.Message.Length > 0, "refuses without a word");
            Demand(!problem.Message.Contains('\n', StringComparison.Ordinal), "refuses in more than a line");
            return new Outcome(FrameStatus.Invalid, "", 0, new Digest().Add(problem.Message).Value, Math.Min(files, 7));
        }

        return new Outcome(FrameStatus.Ok, "", 0, digest.Value, Math.Min(files, 7));
    }

    private static byte[] Mended(ReadOnlySpan<byte> message)
    {
        var archive = message.ToArray();
        var rest = archive.AsSpan();
        if (rest.Length < ArchiveFormat.HeaderLength) return archive;
        using var seal = new ChecksumSeal(rest[..ArchiveFormat.HeaderLength]);
        rest = rest[ArchiveFormat.HeaderLength..];
        while (rest.Length >= ArchiveFormat.PieceHeaderLength + ArchiveFormat.SealLength)
        {
            var length = BinaryPrimitives.ReadUInt32LittleEndian(rest[1..]);
            if (length > rest.Length - ArchiveFormat.PieceHeaderLength - ArchiveFormat.SealLength)
                break;
            var end = ArchiveFormat.PieceHeaderLength + (int)length;
            seal.Close(
                rest[..ArchiveFormat.PieceHeaderLength], rest[ArchiveFormat.PieceHeaderLength..end],
                rest.Slice(end, ArchiveFormat.SealLength));
            rest = rest[(end + ArchiveFormat.SealLength)..];
        }

        return archive;
    }

    private static byte[] Write(params (string Name, byte[] Content)[] files)
    {
        var to = new MemoryStream();
        using var writer = new ArchiveWriter(to, null);
        foreach (var (name, content) in files)
            writer.Add(name, DateTimeOffset.UnixEpoch, new MemoryStream(content), content.Length);
        writer.Finish();
        var archive = to.ToArray();
        archive.AsSpan(ArchiveFormat.SaltOffset, ArchiveFormat.SaltLength).Clear(); // a search begins with the same bytes each time
        return Mended(archive);
    }
}
