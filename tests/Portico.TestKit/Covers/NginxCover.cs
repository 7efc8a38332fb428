namespace Portico.TestKit.Covers;

/// <summary>nginx with h2, http/1.1 and session tickets.</summary>
public sealed class NginxCover : CoverServer
{
    /// <summary>What the page of the site holds.</summary>
    public const string Page = "the page behind the cover\n";

    private const string PageFile = "index.html";

    /// <summary>The program.</summary>
    public const string Program = "nginx";

    private NginxCover(string name = Name)
        : base(name)
    {
    }

    /// <summary>The folder of the site.</summary>
    public string Site => PathOf("site");

    /// <summary>Starts one.</summary>
    /// <param name="timeout">How long it waits for a hello, a request, the next request: 60 s by default in nginx itself.</param>
    /// <param name="rejectsOtherNames">
    /// Answer hellos that do not name <see cref="CoverServer.Name"/> with an alert instead of the same certificate.
    /// </param>
    /// <param name="prepare">Puts files into the folder of the site.</param>
    /// <param name="buffer">How much it encrypts at a time, as its configuration has it; null = what nginx does unless told.</param>
    public static async Task<NginxCover> StartAsync(
        TimeSpan timeout, bool rejectsOtherNames = false, Action<string>? prepare = null, string? buffer = null)
    {
        var cover = new NginxCover();
        await cover.StartAsync(cover.Http((int)timeout.TotalSeconds, rejectsOtherNames, buffer), prepare);
        return cover;
    }

    /// <summary>Starts one with a server block of somebody else's.</summary>
    /// <param name="name">The name in the certificate.</param>
    /// <param name="server">The block, for the endpoint, certificate, key and site of the cover that it is given.</param>
    public static async Task<NginxCover> StartAsync(string name, Func<NginxCover, string> server)
    {
        var cover = new NginxCover(name);
        await cover.StartAsync(server(cover), prepare: null);
        return cover;
    }

    private async Task StartAsync(string http, Action<string>? prepare)
    {
        try
        {
            Directory.CreateDirectory(Site);
            File.WriteAllText(Path.Combine(Site, PageFile), Page);
            prepare?.Invoke(Site);
            File.WriteAllText(PathOf("nginx.conf"), Configuration(http));
            await RunAsync(Program, "-p", Folder, "-c", PathOf("nginx.conf"), "-e", "stderr");
        }
        catch
        {
            await DisposeAsync();
            throw;
        }
    }

    private static string Configuration(string http) => $$"""
        daemon off;
        pid nginx.pid;
        {{(Environment.UserName == "root" ? "user root;" : "")}}
        worker_processes 1;
        worker_rlimit_nofile 16384;
        error_log stderr crit;
        events { worker_connections 12000; multi_accept on; }
        http {
          access_log off;
          client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
        {{http}}
        }
        """;

    private string Http(int seconds, bool rejectsOtherNames, string? buffer) => $$"""
          client_header_timeout {{seconds}}s; client_body_timeout {{seconds}}s; keepalive_timeout {{seconds}}s; send_timeout {{seconds}}s;
          sendfile on;
          ssl_protocols TLSv1.2 TLSv1.3;
          ssl_certificate cover.pem; ssl_certificate_key cover.key;
          ssl_session_cache shared:sessions:1m; ssl_session_tickets on;
          {{(buffer is null ? "" : $"ssl_buffer_size {buffer};")}}
          {{(rejectsOtherNames ? $"server {{ listen {Endpoint} ssl http2 default_server backlog=4096; ssl_reject_handshake on; }}" : "")}}
          server {
            listen {{Endpoint}} ssl http2 {{(rejectsOtherNames ? "" : "default_server backlog=4096")}};
            server_name {{Name}};
            root site;
          }
        """;
}
