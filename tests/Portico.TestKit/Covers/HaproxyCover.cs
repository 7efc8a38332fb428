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

    private HaproxyCover()
    {
    }

    /// <summary>Starts one.</summary>
    /// <param name="timeout">How long it waits for a hello, a request, the next request.</param>
    /// <param name="site">A TLS server that has the answers; without, there is the page.</param>
    public static async Task<HaproxyCover> StartAsync(TimeSpan timeout, IPEndPoint? site = null)
    {
        var cover = new HaproxyCover();
        try
        {
            // It wants certificate and key in one file.
            File.WriteAllText(cover.PathOf("both.pem"), File.ReadAllText(cover.CertificateFile) + "\n" + File.ReadAllText(cover.KeyFile));
            File.WriteAllText(cover.PathOf("haproxy.cfg"), cover.Configuration((int)timeout.TotalSeconds, site));
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
          bind {Endpoint} ssl crt {PathOf("both.pem")} alpn h2,http/1.1 backlog 4096
          {(site is null ? OnePage : "default_backend site")}
        {(site is null ? "" : $"backend site\n  server site {site} ssl verify none")}

        """;
}
