using System.Net;

namespace Portico.TestKit.Covers;

/// <summary>HAProxy that passes connections on and says in a PROXY header whose they are.</summary>
public sealed class HaproxyBalancer : CoverServer
{
    private HaproxyBalancer()
    {
    }

    /// <summary>Starts one.</summary>
    /// <param name="server">Where to.</param>
    /// <param name="header">As its configuration has it: send-proxy, send-proxy-v2, with options.</param>
    public static async Task<HaproxyBalancer> StartAsync(IPEndPoint server, string header)
    {
        var balancer = new HaproxyBalancer();
        try
        {
            File.WriteAllText(balancer.PathOf("haproxy.cfg"), balancer.Configuration(server, header));
            await balancer.RunAsync(HaproxyCover.Program, "-db", "-f", balancer.PathOf("haproxy.cfg"));
            return balancer;
        }
        catch
        {
            await balancer.DisposeAsync();
            throw;
        }
    }

    private string Configuration(IPEndPoint server, string header) => $"""
        global
          nbthread 1
        defaults
          mode tcp
          timeout client 60s
          timeout server 60s
          timeout connect 5s
        frontend all
          bind {Endpoint}
          default_backend proxy
        backend proxy
          server portico {server} {header}

        """;
}
