using System.Security.Cryptography;
using System.Text;
using Portico.TestKit;

namespace Portico.IntegrationTests.Import;

/// <summary>A file of another proxy, the links that it stands for and the keys that have no counterpart.</summary>
/// <param name="From">Whose it is.</param>
/// <param name="Name">In the folder of that proxy.</param>
/// <param name="Links">Port and secret as clients read it; a domain behind an @ goes into the link in hexadecimal.</param>
/// <param name="Left">Keys that must be named.</param>
public sealed record ForeignFile(string From, string Name, IReadOnlyList<string> Links, params IReadOnlyList<string> Left)
{
    /// <summary>Three of each proxy.</summary>
    public static IReadOnlyList<ForeignFile> All { get; } =
    [
        new("erlang", "one-port.config",
            ["443 ee3a7f9c20d15e4b8891aa02bb6ce0f417@s3.amazonaws.com", "443 dd3a7f9c20d15e4b8891aa02bb6ce0f417"],
            "num_acceptors", "hibernate_timeout_sec", "lager"),
        new("erlang", "everything.config",
            [
                $"443 ee{PerSni("0a1b2c3d4e5f60718293a4b5c6d7e8f9")}@shop.example.net",
                "443 dd0a1b2c3d4e5f60718293a4b5c6d7e8f9", "443 0a1b2c3d4e5f60718293a4b5c6d7e8f9",
                $"8443 ee{PerSni("f9e8d7c6b5a4938271605f4e3d2c1b0a")}@shop.example.net",
                "8443 ddf9e8d7c6b5a4938271605f4e3d2c1b0a", "8443 f9e8d7c6b5a4938271605f4e3d2c1b0a",
            ],
            "metric_backend", "gc", "made_up_option", "kernel"),
        new("erlang", "first-versions.config",
            AllForms(8080, "5566778899aabbccddeeff0011223344", "s3.amazonaws.com"), "upstream_socket_buffer_size"),
        new("mtproxy", "MTProxy.service",
            [
                "443 dd00baadf00d15abad1deaa51530ba5e00", "443 00baadf00d15abad1deaa51530ba5e00",
                "443 dd11baadf00d15abad1deaa51530ba5e11", "443 11baadf00d15abad1deaa51530ba5e11",
                "8443 dd00baadf00d15abad1deaa51530ba5e00", "8443 00baadf00d15abad1deaa51530ba5e00",
                "8443 dd11baadf00d15abad1deaa51530ba5e11", "8443 11baadf00d15abad1deaa51530ba5e11",
            ],
            "-u", "-p", "--aes-pwd", "(file)", "-M"),
        new("mtproxy", "start.sh", ["8443 eec0ffee15c001d00d1badc0dedeadbee5@www.example.org"],
            "-u", "-p", "--http-stats", "--allow-skip-dh", "--aes-pwd", "(file)", "-M"),
        new("mtproxy", "docker-compose.yml",
            [
                "2053 ddabadcafe00abadcafe00abadcafe0012", "2053 abadcafe00abadcafe00abadcafe0012",
                "2053 dd1badb002deadc0de1badb002deadc0de", "2053 1badb002deadc0de1badb002deadc0de",
            ]),
        new("mtprotoproxy", "config.py",
            ["443 ee00000000000000000000000000000001@www.debian.org", "443 ee0123456789abcdef0123456789abcdee@www.debian.org"]),
        new("mtprotoproxy", "advanced.py",
            [
                .. AllForms(8443, "aa11bb22cc33dd44ee55ff6600778899", "club.example.net"),
                .. AllForms(8443, "bb11bb22cc33dd44ee55ff6600778899", "club.example.net"),
                .. AllForms(8443, "00000000000000000000000000abc123", "club.example.net"), // as it mends a bad secret
            ],
            "(statement)", "USER_EXPIRATIONS", "USER_MAX_TCP_CONNS", "USER_DATA_QUOTA", "REPLAY_CHECK_LEN", "METRICS_PORT",
            "STATS_PRINT_PERIOD"),
        new("mtprotoproxy", "all-modes.py", AllForms(3256, "deadbeefdeadbeefdeadbeefdeadbeef", "www.google.com"),
            "TO_CLT_BUFSIZE", "SOCKS5_HOST", "SOCKS5_PORT"),
        new("mtg", "config.toml", ["3128 ee367a189aee18fa31c190054efd4a8e95@storage.googleapis.com"],
            "tcp-buffer", "network.doh-ip", "network.proxies", "network.timeout.tcp", "network.timeout.http",
            "defense.anti-replay.max-size", "defense.anti-replay.error-rate", "defense.blocklist.enabled",
            "defense.blocklist.urls", "stats.prometheus.bind-to"),
        new("mtg", "behind-haproxy.toml", ["10443 ee11a2334455667788aabbccddeeff0012@site.example.com"],
            "debug", "auto-update", "network.keep-alive.idle", "defense.doppelganger.urls"),
        new("mtg", "several-secrets.toml",
            ["443 ee00112233445566778899aabbccddee01@www.example.com", "443 ee00112233445566778899aabbccddee02@bob.example.com"],
            "api-bind-to", "throttle.max-connections"),
        new("telemt", "telemt.toml", ["443 ee00aa11bb22cc33dd44ee55ff66778899@shop.example.com"],
            "general.log_level", "general.links.show", "server.api", "censorship.tls_emulation", "censorship.tls_front_dir"),
        new("telemt", "everything.toml",
            [
                // of both listeners, since all links name the public port
                .. AllForms(2053, "11112222333344445555666677778888", "www.example.com"),
                .. AllForms(2053, "21112222333344445555666677778888", "www.example.com"),
                .. AllForms(2053, "11112222333344445555666677778888", "www.example.com"),
                .. AllForms(2053, "21112222333344445555666677778888", "www.example.com"),
            ],
            "general.me_keepalive_interval_secs", "general.hardswap", "network.ipv6", "server.metrics_port",
            "server.listeners.synlimit", "timeouts.client_keepalive", "censorship.unknown_sni_action",
            "censorship.mask_shape_hardening", "access.replay_check_len", "access.user_expirations", "access.user_max_tcp_conns",
            "access.user_data_quota", "upstreams"),
        new("telemt", "minimal.toml", ["9000 dd61112222333344445555666677778888", "9000 dd71112222333344445555666677778888"]),
    ];

    /// <summary>Where it is.</summary>
    public string Path => PathOf(From, Name);

    /// <summary>Where a file is.</summary>
    public static string PathOf(string from, string name) =>
        System.IO.Path.Combine(RepositoryRoot.Path, "tests", "Portico.IntegrationTests", "Import", "Files", from, name);

    public override string ToString() => $"{From}/{Name}";

    private static IReadOnlyList<string> AllForms(int port, string secret, string domain) =>
        [$"{port} ee{secret}@{domain}", $"{port} dd{secret}", $"{port} {secret}"];

    // SHA-256 of salt, secret in hexadecimal and name, its first half.
    private static string PerSni(string secret) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"a salt of my own{secret}shop.example.net"))[..16]);
}
