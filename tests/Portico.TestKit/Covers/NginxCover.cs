namespace Portico.TestKit.Covers;

/// <summary>nginx with h2, http/1.1 and session tickets.</summary>
public sealed class NginxCover : CoverServer
{
    /// <summary>What the page of the site holds.</summary>
    public const string Page = "the page behind the cover\n";

    private const string PageFile = "index.html";

    /// <summary>The program.</summary>
    public const string Program = "nginx";

    private NginxCover()
    {
    }

    /// <summary>Starts one.</summary>
    /// <param name="timeout">How long it waits for a hello, a request, the next request: 60 s by default in nginx itself.</param>
    /// <param name="rejectsOtherNames">
    /// Answer hellos that do not name <see cref="CoverServer.Name"/> with an alert instead of the same certificate.
    /// </param>
    /// <param name="prepare">Puts files into the folder of the site.</param>
    public static async Task<NginxCover> StartAsync(TimeSpan timeout, bool rejectsOtherNames = false, Action<string>? prepare = null)
    {
        var cover = new NginxCover();
        try
        {
            var site = Directory.CreateDirectory(cover.PathOf("site")).FullName;
            File.WriteAllText(Path.Combine(site, PageFile), Page);
            prepare?.Invoke(site);
            File.WriteAllText(cover.PathOf("nginx.conf"), cover.Configuration((int)timeout.TotalSeconds, rejectsOtherNames));
            await cover.RunAsync(Program, "-p", cover.Folder, "-c", cover.PathOf("nginx.conf"), "-e", "stderr");
            return cover;
        }
        catch
        {
            await cover.DisposeAsync();
            throw;
        }
    }

    private string Configuration(int seconds, bool rejectsOtherNames) => $$"""
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
          client_header_timeout {{seconds}}s; client_body_timeout {{seconds}}s; keepalive_timeout {{seconds}}s; send_timeout {{seconds}}s;
          sendfile on;
          ssl_protocols TLSv1.2 TLSv1.3;
          ssl_certificate cover.pem; ssl_certificate_key cover.key;
          ssl_session_cache shared:sessions:1m; ssl_session_tickets on;
          {{(rejectsOtherNames ? $"server {{ listen {Endpoint} ssl http2 default_server backlog=4096; ssl_reject_handshake on; }}" : "")}}
          server {
            listen {{Endpoint}} ssl http2 {{(rejectsOtherNames ? "" : "default_server backlog=4096")}};
            server_name {{Name}};
            root site;
          }
        }
        """;
}
