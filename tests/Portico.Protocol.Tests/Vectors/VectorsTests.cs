using System.Text.Json;
using Xunit;

namespace Portico.Protocol.Tests;

public class VectorsTests
{
    /// <summary>How many items each section has. Written down, so that none disappears from a file unnoticed.</summary>
    private static readonly Dictionary<(string File, string Section), int> Counts = new()
    {
        [("direct.json", "cases")] = 6,
        [("fake_tls.json", "outcomes")] = 5,
        [("fake_tls.json", "client_hello_cases")] = 58,
        [("fake_tls.json", "server_hello_cases")] = 8,
        [("middle_proxy_keys.json", "cases")] = 7,
        [("mtp_full.json", "frames")] = 10,
        [("mtp_full.json", "cbc_session")] = 6,
        [("mtp_full.json", "streams")] = 13,
        [("obfuscated2.json", "cases")] = 15,
        [("obfuscated2.json", "negative")] = 2,
        [("obfuscated2.json", "client_first_bytes_rule")] = 12,
        [("per_sni_secrets.json", "cases")] = 6,
        [("policy.json", "cases")] = 12,
        [("pq.json", "exchanges")] = 4,
        [("pq.json", "refused")] = 23,
        [("proxy_config.json", "cases")] = 12,
        [("rpc.json", "constructors")] = 11,
        [("rpc.json", "packets")] = 33,
        [("rpc.json", "addresses")] = 5,
        [("secrets_links.json", "secrets")] = 15,
        [("secrets_links.json", "links")] = 9,
        [("session_transcript.json", "proxy")] = 3,
        [("session_transcript.json", "dc_connection")] = 10,
        [("session_transcript.json", "client_sessions")] = 4,
        [("tls_records.json", "encode")] = 11,
        [("tls_records.json", "decode")] = 14,
        [("transports.json", "encode")] = 49,
        [("transports.json", "decode")] = 46,
        [("transports.json", "quick_ack_to_client")] = 4,
        [("web_proxy.json", "hosts")] = 40,
        [("web_proxy.json", "paths")] = 29,
        [("web_proxy.json", "secrets")] = 22,
        [("web_proxy.json", "capabilities")] = 11,
        [("web_proxy.json", "links")] = 2,
        [("web_proxy.json", "tokens")] = 4,
        [("web_proxy.json", "headers")] = 4,
        [("web_proxy.json", "routing")] = 2,
        [("web_proxy.json", "frames")] = 4,
        [("web_proxy.json", "sessions")] = 15,
        [("web_proxy.json", "app")] = 21,
        [("web_proxy.json", "uplink_sequences")] = 7,
        [("web_proxy.json", "downlink_cursors")] = 5,
        [("web_proxy.json", "inner_streams")] = 3,
    };

    [Fact]
    public void Every_section_of_every_file_has_the_number_of_items_written_down()
    {
        var found = new Dictionary<(string File, string Section), int>();
        foreach (var path in Directory.EnumerateFiles(Vectors.Folder, "*.json"))
            foreach (var section in Vectors.Load(Path.GetFileName(path)).EnumerateObject())
                if (Size(section.Value) is { } size)
                    found.Add((Path.GetFileName(path), section.Name), size);

        Assert.Equal(Counts.OrderBy(entry => entry.Key), found.OrderBy(entry => entry.Key));
    }

    private static int? Size(JsonElement section) => section.ValueKind switch
    {
        JsonValueKind.Array => section.GetArrayLength(),
        JsonValueKind.Object => section.EnumerateObject().Count(),
        _ => null,
    };
}
