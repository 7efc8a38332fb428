using System.Security.Cryptography;
using Portico.Core.Net;
using Portico.TestKit.Covers;
using Portico.TestKit.Proxies;
using Xunit;

namespace Portico.IntegrationTests.Cover;

/// <summary>
/// Who visits the site through the proxy gets the site, with its own certificate, and everything that TLS can do with it.
/// </summary>
public sealed class SiteTests
{
    private const string Curl = "curl";
    private const string Openssl = "openssl";
    private const int LargeSize = 100 * 1024 * 1024;
    private const string LargeFile = "large";

    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    public static TheoryData<EngineKind, string> EveryHttp => Engines.With("1.1", "2");

    public static TheoryData<EngineKind, string> EveryTls => Engines.With("tls1_2", "tls1_3");

    [ToolTheory(NginxCover.Program, Curl)]
    [MemberData(nameof(EveryHttp))]
    public async Task curl_gets_the_page_with_the_certificate_of_nginx(EngineKind engine, string version)
    {
        await using var cover = await NginxCover.StartAsync(Long);
        Assert.Equal(NginxCover.Page, await GetAsync(engine, cover, version));
    }

    [ToolTheory(HaproxyCover.Program, Curl)]
    [MemberData(nameof(EveryHttp))]
    public async Task curl_gets_the_page_with_the_certificate_of_HAProxy(EngineKind engine, string version)
    {
        await using var cover = await HaproxyCover.StartAsync(Long);
        Assert.Equal(HaproxyCover.Page, await GetAsync(engine, cover, version));
    }

    [ToolTheory(NginxCover.Program, Openssl)]
    [MemberData(nameof(EveryTls))]
    public async Task A_visitor_who_comes_back_resumes_the_session(EngineKind engine, string version)
    {
        await using var cover = await NginxCover.StartAsync(Long);
        await using var proxy = Start(engine, cover);
        var session = Path.Combine(cover.Folder, "session");
        string[] visit =
        [
            "s_client", $"-{version}", "-connect", $"{proxy.Endpoint}", "-servername",
            CoverServer.Name, "-CAfile", cover.CertificateFile, "-verify_return_error", "-ign_eof",
        ];
        const string Request = $"GET / HTTP/1.0\r\nHost: {CoverServer.Name}\r\n\r\n";

        var (_, first, errors) = await Programs.RunAsync(Openssl, [.. visit, "-sess_out", session], Request);
        Assert.True(
            first.Contains("New, ", StringComparison.Ordinal) && first.Contains(NginxCover.Page, StringComparison.Ordinal),
            first + errors);
        var (_, second, _) = await Programs.RunAsync(Openssl, [.. visit, "-sess_in", session], Request);
        Assert.True(
            second.Contains("Reused, ", StringComparison.Ordinal) && second.Contains(NginxCover.Page, StringComparison.Ordinal),
            second);
    }

    [ToolTheory(NginxCover.Program, Curl)]
    [MemberData(nameof(EveryHttp))]
    public async Task A_hundred_megabytes_come_through_unchanged(EngineKind engine, string version)
    {
        byte[] sent = [];
        await using var cover = await NginxCover.StartAsync(Long, prepare: folder => sent = WriteLarge(Path.Combine(folder, LargeFile)));
        await using var proxy = Start(engine, cover);
        byte[] got = [];
        long length = 0;
        var (code, _, errors) = await Programs.RunAsync(Curl, Visit(proxy, cover, version, LargeFile), take: async stream =>
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var buffer = new byte[256 * 1024];
            for (int count; (count = await stream.ReadAsync(buffer)) > 0; length += count)
                hash.AppendData(buffer, 0, count);
            got = hash.GetHashAndReset();
        });
        Assert.Equal((0, ""), (code, errors));
        Assert.Equal(LargeSize, length);
        Assert.Equal(sent, got);
    }

    private static async Task<string> GetAsync(EngineKind engine, CoverServer cover, string version)
    {
        await using var proxy = Start(engine, cover);
        // curl refuses a certificate that is not the cover's, and says at the end which version of HTTP it was.
        var (code, output, errors) = await Programs.RunAsync(
            Curl, [.. Visit(proxy, cover, version, ""), "--write-out", "%{http_version} %{http_code}"]);
        Assert.Equal((0, ""), (code, errors));
        Assert.EndsWith($"{version} 200", output, StringComparison.Ordinal);
        return output[..^$"{version} 200".Length];
    }

    private static ProxyUnderTest Start(EngineKind engine, CoverServer cover) =>
        ProxyUnderTest.Start(engine, settings => settings with { Cover = cover.Settings });

    private static string[] Visit(ProxyUnderTest proxy, CoverServer cover, string version, string path) =>
    [
        "--silent", "--show-error", "--fail", $"--http{version}", "--cacert", cover.CertificateFile,
        "--resolve", $"{CoverServer.Name}:{proxy.Endpoint.Port}:{proxy.Endpoint.Address}",
        $"https://{CoverServer.Name}:{proxy.Endpoint.Port}/{path}",
    ];

    /// <summary>Random bytes, so that nothing lost, doubled or swapped goes unnoticed; their hash.</summary>
    private static byte[] WriteLarge(string path)
    {
        using var file = File.Create(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var block = new byte[1024 * 1024];
        for (var written = 0; written < LargeSize; written += block.Length)
        {
            RandomNumberGenerator.Fill(block);
            file.Write(block);
            hash.AppendData(block);
        }
        return hash.GetHashAndReset();
    }
}
