using System.Net;

namespace Portico.TestKit.Covers;

/// <summary>HAProxy that ends TLS itself and answers every request with a page, or asks a site behind it.</summary>
public sealed class HaproxyCover : CoverServer
{
    /// <summary>What the page holds.</summary>
    public const string Page = "the page of the load balancer\n";

    /// <summary>The program.</summary>
    public const string Program = "haproxy";

    private static string OnePage { get; } = $"http-request return status 200 content-type text/plain string \"{Page.TrimEnd()}\\n\"";

    private HaproxyCover(string name = Name)
        : base(name)
    {
    }

    /// <summary>Starts one.</summary>
    /// <param name="timeout">How long it waits for a hello, a request, the next request.</param>
    /// <param name="site">A TLS server that has the answers; without, there is the page.</param>
    public static Task<HaproxyCover> StartAsync(TimeSpan timeout, IPEndPoint? site = null) =>
        StartAsync(new HaproxyCover(), cover => cover.Configuration((int)timeout.TotalSeconds, site));

    /// <summary>Starts one with a configuration of somebody's.</summary>
    /// <param name="name">In the certificate.</param>
    /// <param name="configuration">Given the server, for its address and <see cref="BothFile"/>.</param>
    public static Task<HaproxyCover> StartAsync(string name, Func<HaproxyCover, string> configuration) =>
        StartAsync(new HaproxyCover(name), configuration);

    /// <summary>Certificate and key in one file, as it wants them.</summary>
    public string BothFile => PathOf("both.pem");

    private static async Task<HaproxyCover> StartAsync(HaproxyCover cover, Func<HaproxyCover, string> configuration)
    {
        try
        {
            File.WriteAllText(cover.BothFile, File.ReadAllText(cover.CertificateFile) + "\n" + File.ReadAllText(cover.KeyFile));
            File.WriteAllText(cover.PathOf("haproxy.cfg"), configuration(cover));
            await cover.RunAsync(Program, "-db", "-f", cover.PathOf("haproxy.cfg"));
            return cover;
        }
        catch
        {
            await cover.DisposeAsync();
            throw;
        }
    }

    private string Configuration(int seconds, IPEndPoint? site) => $"""
        global
          maxconn 8000
          nbthread 1
        defaults
          mode http
          timeout client {seconds}s
          timeout server {seconds}s
          timeout connect 5s
          timeout http-request {seconds}s
          timeout http-keep-alive {seconds}s
        frontend cover
          bind {Endpoint} ssl crt {BothFile} alpn h2,http/1.1 backlog 4096
          {(site is null ? OnePage : "default_backend site")}
        {(site is null ? "" : $"backend site\n  server site {site} ssl verify none")}

        """;
}
