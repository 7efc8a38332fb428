using Portico.Protocol.Secrets;
using Portico.TestKit.Telegram;

namespace Portico.IntegrationTests.Commands;

/// <summary>The configuration of a process under test: one listener of every protocol on loopback, the fake Telegram behind it.</summary>
internal static class DirectConfiguration
{
    /// <summary>As text.</summary>
    /// <param name="secret">Of the listener.</param>
    /// <param name="telegram">Is data centre 2.</param>
    /// <param name="more">More of it: members, with a comma behind each.</param>
    /// <param name="users">Of the listener, with commas between them.</param>
    public static string Text(ProxySecret secret, FakeTelegram telegram, string more = "", string users = "") => $$"""
        { "listeners": [{ "address": "127.0.0.1", "port": 0, "secret": "{{SecretText.FormatSimple(secret)}}",
            "users": [{{users}}], "domain": "www.example.com", "protocols": ["fake-tls", "secure", "classic"] }], {{more}}
          "backend": { "mode": "direct", "direct": { "endpoints": { "2": ["{{telegram.Endpoint}}"] } } } }
        """;
}
