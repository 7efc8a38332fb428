using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using Portico.IntegrationTests.Commands;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Portico.TestKit.Telegram;
using Xunit;

namespace Portico.IntegrationTests.Packages;

/// <summary>The native binary in a sandbox, with the fake Telegram behind it.</summary>
internal static class SandboxedProxy
{
    /// <summary>A client comes, is served and leaves; what must be kept is kept.</summary>
    /// <param name="folder">The directory in which the proxy starts, and the only one that it may write to.</param>
    /// <param name="command">The sandbox, and the proxy in it.</param>
    public static async Task RelaysAsync(TemporaryFolder folder, string[] command)
    {
        await using var telegram = FakeTelegram.Start();
        var secret = ProxySecret.Create(RandomNumberGenerator.GetBytes(ProxySecret.Length));
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "portico.json"), $$"""
            { "listeners": [{ "address": "127.0.0.1", "port": 0, "secret": "{{SecretText.FormatSimple(secret)}}",
                "domain": "www.example.com" }],
              "backend": { "mode": "direct", "direct": { "endpoints": { "2": ["{{telegram.Endpoint}}"] } } } }
            """);
        await using var portico = PorticoProcess.Start(command, folder.Path, []);
        var endpoint = new IPEndPoint(IPAddress.Loopback, await portico.PortAsync());
        using var inner = Process.GetProcessById(Sandbox.InnerProcess(portico.Id));
        try
        {
            await using var client = await FakeClient.ConnectAsync(endpoint, new ClientProfile { Secret = secret });
            await client.GreetAsync();
            await client.EchoAsync(1000);
            await client.DownloadAsync(2, 65536);
            await portico.UntilAdministeredAsync();
        }
        finally
        {
            inner.Kill();
        }

        // It could keep what it must, and nobody had to be told that it could not.
        Assert.True(Directory.Exists(Path.Combine(folder.Path, "data")));
        Assert.True(File.Exists(Path.Combine(folder.Path, "admin.sock")));
        Assert.DoesNotContain("NotSaved", portico.Said(), StringComparison.Ordinal);
    }
}
