using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Net.Http.Headers;

namespace Portico.Web.Site;

/// <summary>The files of a directory that belong to a site, as they were when it was looked at.</summary>
internal sealed class SiteFiles
{
    /// <summary>Bytes that a site may have.</summary>
    public const long MostBytes = 64 * 1024 * 1024;

    // What a file costs beside its bytes: as many empty ones as one likes must not fit either.
    private const long BytesPerFile = 1024;

    private const string Index = "index.html", Missing = "/404.html", WellKnown = ".well-known";

    // Directories can be in themselves, by links.
    private const int Deepest = 32;

    private static readonly FileExtensionContentTypeProvider Types = new();

    private readonly string _root;
    private readonly ImmutableArray<Listed> _files;

    private SiteFiles(string root, ImmutableArray<Listed> files) => (_root, _files) = (root, files);

    /// <summary>One of them.</summary>
    /// <param name="Path">From the directory on, with a slash in front.</param>
    /// <param name="Modified">When it was written.</param>
    /// <param name="Length">Bytes; what has none is not opened, since whoever opens a queue waits for its other end.</param>
    private readonly record struct Listed(string Path, DateTime Modified, long Length);

    /// <summary>Looks at a directory. What begins with a dot is not for visitors, but for .well-known (RFC 8615).</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    /// <exception cref="InvalidDataException">There are too many files.</exception>
    public static SiteFiles Find(string root)
    {
        var options = new EnumerationOptions
        {
            RecurseSubdirectories = true,
            MaxRecursionDepth = Deepest,
            AttributesToSkip = 0,
            IgnoreInaccessible = false,
        };
        var files = ImmutableArray.CreateBuilder<Listed>();
        foreach (var file in new DirectoryInfo(root).EnumerateFiles("*", options))
        {
            var path = "/" + Path.GetRelativePath(root, file.FullName).Replace(Path.DirectorySeparatorChar, '/');
            if (path.Split('/').Any(segment => segment.StartsWith('.') && segment != WellKnown))
                continue;
            if (files.Count == MostBytes / BytesPerFile)
                throw new InvalidDataException($"the site in {root} has more than {files.Count} files, too many to keep in memory");
            files.Add(new Listed(path, file.LastWriteTimeUtc, LengthOf(file)));
        }

        files.Sort((one, other) => string.CompareOrdinal(one.Path, other.Path));
        return new SiteFiles(root, files.ToImmutable());
    }

    /// <summary>Whether another look has found the same.</summary>
    public bool IsLike(SiteFiles other) => _root == other._root && _files.SequenceEqual(other._files);

    /// <summary>Reads them.</summary>
    /// <exception cref="IOException">One cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">One may not be read.</exception>
    /// <exception cref="InvalidDataException">They are too large together.</exception>
    public StaticSite Read()
    {
        var byPath = new Dictionary<string, SiteFile>(StringComparer.Ordinal);
        var room = MostBytes;
        foreach (var listed in _files)
        {
            var file = Read(listed, ref room);
            byPath[listed.Path] = file;
            if (!listed.Path.EndsWith("/" + Index, StringComparison.Ordinal)) continue;
            // With the slash and without: a redirect from one to the other would tell which directories there are.
            var directory = listed.Path[..^Index.Length];
            byPath[directory] = file;
            if (directory.Length > 1) byPath.TryAdd(directory[..^1], file);
        }

        return new StaticSite(byPath.ToFrozenDictionary(StringComparer.Ordinal), byPath.GetValueOrDefault(Missing));
    }

    // Of a link, of what it leads to. Queues and devices have none.
    private static long LengthOf(FileInfo file)
    {
        var target = file.LinkTarget is null ? file : file.ResolveLinkTarget(returnFinalTarget: true);
        return target is FileInfo { Exists: true } found ? found.Length : 0;
    }

    private SiteFile Read(Listed listed, ref long room)
    {
        var bytes = ReadBytes(listed, ref room);
        if (!Types.TryGetContentType(listed.Path, out var type)) type = "application/octet-stream";
        var modified = new DateTimeOffset(listed.Modified.AddTicks(-(listed.Modified.Ticks % TimeSpan.TicksPerSecond)));
        var tag = Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 8));
        return new SiteFile(bytes, type, modified, new EntityTagHeaderValue($"\"{tag}\""));
    }

    private byte[] ReadBytes(Listed listed, ref long room)
    {
        using var handle = listed.Length == 0 ? null : File.OpenHandle(_root + listed.Path);
        var bytes = new byte[Room(handle is null ? 0 : RandomAccess.GetLength(handle), listed, ref room)];
        var length = 0;
        while (length < bytes.Length && RandomAccess.Read(handle!, bytes.AsSpan(length), length) is var count and > 0)
            length += count;
        return bytes[..length];
    }

    private long Room(long length, Listed listed, ref long room)
    {
        room -= length + BytesPerFile;
        return room < 0 ? throw new InvalidDataException(TooLarge(listed)) : length;
    }

    private string TooLarge(Listed first)
    {
        var rest = _files.SkipWhile(file => file != first).Select(file => file.Path).ToList();
        var named = string.Join(", ", rest.Take(5)) + (rest.Count > 5 ? $" and {rest.Count - 5} more" : "");
        return $"the site in {_root} has more than {MostBytes >> 20} MiB, which is what is kept in memory; there is no room for {named}. "
            + "Serve large files elsewhere, or put a web server behind it (siteUpstream)";
    }
}
