using System.Collections.Frozen;
using System.Collections.Immutable;
using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Portico.Admin.Api;

namespace Portico.Admin.Dashboard;

/// <summary>The files of the dashboard, which are in the program. Compressed once, when somebody asks.</summary>
internal sealed class DashboardFiles
{
    /// <summary>Nothing is fetched from elsewhere, and no other site may show these pages.</summary>
    public const string Policy =
        "default-src 'self'; img-src 'self' data:; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

    /// <summary>The page.</summary>
    public const string Index = "index.html";

    private const string Prefix = "dashboard/";

    private static readonly FrozenDictionary<string, string> Types = new Dictionary<string, string>
    {
        [".html"] = "text/html; charset=utf-8",
        [".css"] = "text/css; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".json"] = "application/json",
        [".svg"] = "image/svg+xml",
    }.ToFrozenDictionary();

    private readonly Lazy<FrozenDictionary<string, File>> _files = new(Load);

    private sealed record File(byte[] Bytes, byte[] Compressed, string ETag, string Type);

    /// <summary>Paths below the root, without the page.</summary>
    public static ImmutableArray<string> Paths =>
    [
        .. typeof(DashboardFiles).Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)).Select(name => name[Prefix.Length..])
            .Where(name => name != Index).Order(StringComparer.Ordinal),
    ];

    /// <summary>The page as text.</summary>
    public string Page => System.Text.Encoding.UTF8.GetString(_files.Value[Index].Bytes);

    /// <summary>A file of <see cref="Paths"/>.</summary>
    public Task<Answer> AnswerAsync(HttpContext context)
    {
        var file = _files.Value[context.Request.Path.Value![1..]];
        context.Response.Headers.ETag = file.ETag;
        context.Response.Headers.CacheControl = "no-cache"; // asked again each time, and answered with nothing where it is the same
        context.Response.Headers.Vary = "Accept-Encoding";
        if (context.Request.Headers.IfNoneMatch == file.ETag)
            return Task.FromResult(Answer.NotModified);
        var isCompressed = context.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase);
        if (isCompressed) context.Response.Headers.ContentEncoding = "gzip";
        return Task.FromResult(Answer.Bytes(isCompressed ? file.Compressed : file.Bytes, file.Type));
    }

    private static FrozenDictionary<string, File> Load() =>
        Paths.Append(Index).ToFrozenDictionary(path => path, path => Read(typeof(DashboardFiles).Assembly, path));

    private static File Read(Assembly assembly, string path)
    {
        using var stream = assembly.GetManifestResourceStream(Prefix + path)!;
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        var content = bytes.ToArray();
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.SmallestSize)) gzip.Write(content);
        return new File(
            content, compressed.ToArray(), $"\"{Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 12))}\"",
            Types[Path.GetExtension(path)]);
    }
}
