using System.Globalization;
using System.Net;
using System.Text.Json;
using Portico.IntegrationTests.Commands;
using Portico.TestKit.Covers;
using Portico.TestKit.Telegram;
using Xunit;

namespace Portico.IntegrationTests.Doctor;

/// <summary>A configuration with a whole world on loopback behind it, healthy until a test spoils something.</summary>
internal sealed class Patient : IAsyncDisposable
{
    public const string Secret = "5f0e1d2c3b4a59687786950413223140";
    private const string PublicAddress = "8.8.4.4";

    /// <summary>How the cover answers.</summary>
    public static readonly SiteScript Honest = new() { ClosesOthers = true };

    private readonly TemporaryDirectory _directory = new();

    private Patient()
    {
        Cover = $"{Site.Endpoint}";
        for (var dc = 1; dc <= 5; dc++) DataCentres[dc] = Telegram.Endpoint;
        DataCentres[203] = Telegram.Endpoint;
        Outside.Set(FakeConfigSite.SecretPath, SiteReply.Text("") with { Date = TimeProvider.System.GetUtcNow() });
        Outside.Set(FakeConfigSite.AddressPath, SiteReply.Text(PublicAddress));
    }

    public FakeTelegram Telegram { get; } = FakeTelegram.Start();

    /// <summary>The cover. It is also asked for the time, by an ordinary hello.</summary>
    public ScriptedSite Site { get; } = ScriptedSite.Start(Honest);

    /// <summary>Tells the time, and under which address we are seen.</summary>
    public FakeConfigSite Outside { get; } = FakeConfigSite.Start();

    public Dictionary<int, IPEndPoint> DataCentres { get; } = [];

    public string Cover { get; set; }

    public int Port { get; set; }

    /// <summary>More keys of the listener, as JSON with a comma before.</summary>
    public string Listener { get; set; } = $$""", "publicHost": "{{PublicAddress}}" """;

    public string Mode { get; set; } = "direct";

    public string ExternalIp { get; set; } = PublicAddress;

    public string DataDirectory { get; set; } = "data";

    public int MaxConnections { get; set; } = 1000;

    /// <summary>Far beyond what anybody here takes, on a busy machine too.</summary>
    public int DeadlineSeconds { get; set; } = 30;

    /// <summary>What stands before the command, such as a shell that sets a limit.</summary>
    public string[] Before { get; set; } = [];

    public string Folder => _directory.Path;

    public static Patient Healthy() => new();

    /// <summary>Writes the configuration that it has now.</summary>
    public string Write()
    {
        var endpoints = string.Join(", ", DataCentres.Select(dc =>
            string.Create(CultureInfo.InvariantCulture, $"\"{dc.Key}\": [\"{dc.Value}\"]")));
        return _directory.Write("portico.json", $$"""
            { "listeners": [{ "address": "127.0.0.1", "port": {{Port}}, "secret": "{{Secret}}", "domain": "www.example.org",
                "maxConnections": {{MaxConnections}} {{Listener}} }],
              "backend": { "mode": "{{Mode}}", "direct": { "endpoints": { {{endpoints}} } },
                "middle": { "secretUrl": "{{Outside.SecretUrl}}", "configUrl": "{{Outside.ConfigUrl}}",
                  "configV6Url": "{{Outside.ConfigV6Url}}", "httpTimeoutMs": 30000, "externalIp": "{{ExternalIp}}" } },
              "cover": { "mode": "fixed", "target": "{{Cover}}", "maxConnections": 100 },
              "timeouts": { "drainSeconds": 1 },
              "dataDirectory": "{{DataDirectory}}" }
            """);
    }

    /// <summary>A proxy with this configuration.</summary>
    public async Task<PorticoProcess> RunAsync()
    {
        Write();
        var proxy = PorticoProcess.Start(Folder, []);
        await proxy.PortAsync();
        return proxy;
    }

    /// <summary>The exit code, and each finding's name with its verdict, text and cure.</summary>
    public async Task<(int Code, ILookup<string, (string Verdict, string Text, string Cure)> Findings)> AskAsync()
    {
        var (code, output, errors) = await AskAsync("--json");
        Assert.Equal("", errors);
        using var json = JsonDocument.Parse(output);
        return (code, json.RootElement.GetProperty("findings").EnumerateArray().ToLookup(
            it => it.GetProperty("finding").GetString()!,
            it => (it.GetProperty("verdict").GetString()!, it.GetProperty("text").GetString()!, it.GetProperty("cure").GetString() ?? "")));
    }

    /// <summary>The exit code is 1 because of one failure, which is returned.</summary>
    public async Task<(string Text, string Cure)> OneFailureAsync(string name)
    {
        var (code, findings) = await AskAsync();
        Assert.Equal([name], findings.Where(named => named.Any(it => it.Verdict == "fail")).Select(named => named.Key));
        Assert.Equal(1, code);
        var (_, text, cure) = Assert.Single(findings[name]);
        return (text, cure);
    }

    /// <summary>What it says, never with the secret.</summary>
    public async Task<(int Code, string Output, string Errors)> AskAsync(params string[] arguments)
    {
        Write();
        var variables = new Dictionary<string, string> { [PorticoProcess.AddressServices] = $"{Outside.AddressUrl}" };
        string[] line = ["doctor", "--offline", "--deadline", $"{DeadlineSeconds}", .. arguments];
        await using var doctor = PorticoProcess.Start([.. Before, .. PorticoExecutable.Command], Folder, line, variables);
        var (code, output, errors) = await doctor.EndAsync();
        Assert.DoesNotContain(Secret, output + errors, StringComparison.OrdinalIgnoreCase);
        return (code, output, errors);
    }

    public async ValueTask DisposeAsync()
    {
        await Telegram.DisposeAsync();
        await Site.DisposeAsync();
        await Outside.DisposeAsync();
        _directory.Dispose();
    }
}
