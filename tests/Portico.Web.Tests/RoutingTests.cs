using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Portico.Protocol.WebProxy;
using Portico.Web.Tests.Staging;
using Xunit;

namespace Portico.Web.Tests;

/// <summary>The recorded requests, as bytes on a connection: who answers each, and what the site gets of it.</summary>
public sealed class RoutingTests
{
    private static readonly JsonElement Vectors = Load();

    public static TheoryData<int, int> Cases
    {
        get
        {
            var data = new TheoryData<int, int>();
            for (var group = 0; group < Vectors.GetProperty("routing").GetArrayLength(); group++)
            {
                var count = Vectors.GetProperty("routing")[group].GetProperty("cases").GetArrayLength();
                for (var index = 0; index < count; index++) data.Add(group, index);
            }

            return data;
        }
    }

    private static ImmutableArray<string> Credentials =>
    [
        .. Vectors.GetProperty("routing").EnumerateArray()
            .SelectMany(group => group.GetProperty("config").GetProperty("capabilities").EnumerateArray())
            .Select(text => text.GetString()!),
        .. Vectors.GetProperty("tokens").GetProperty("make").EnumerateArray().Select(item => item.GetProperty("token").GetString()!),
    ];

    [Fact]
    public void There_are_as_many_as_written_down() => Assert.Equal(92, Cases.Count);

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_request_goes_where_it_was_recorded_to_go(int group, int index)
    {
        var recorded = Vectors.GetProperty("routing")[group];
        var item = recorded.GetProperty("cases")[index];
        var (method, target) = (item.GetProperty("method").GetString()!, item.GetProperty("target").GetString()!);
        await using var site = new RecordingSite();
        var isClassic = recorded.GetProperty("config").GetProperty("capabilities").GetArrayLength() > 1;
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup
        {
            Path = recorded.GetProperty("config").GetProperty("path").GetString()!,
            Tokens = WebTokenKey.Create(Convert.FromHexString(Vectors.GetProperty("tokens").GetProperty("sign_key").GetString()!)),
            Change = settings => settings with { SiteUpstream = site.Address, TakesClassic = isClassic },
        });

        var answer = await RawHttp.AskAsync(host.Server.Address, Bytes(item, method, target));

        AssertIs(item.GetProperty("expected").GetString()!, item, target, answer, site);
    }

    private static void AssertIs(string expected, JsonElement item, string target, string answer, RecordingSite site)
    {
        if (expected == "bridge")
        {
            Assert.StartsWith("HTTP/1.1 200 ", answer, StringComparison.Ordinal);
            Assert.Contains("bootstrap=\"", answer, StringComparison.Ordinal);
        }
        else if (expected == "transport")
        {
            Assert.StartsWith("HTTP/1.1 404 ", answer, StringComparison.Ordinal);
            Assert.Contains("\r\nCache-Control: no-store\r\n", answer, StringComparison.Ordinal);
        }

        if (expected is "bridge" or "transport")
        {
            Assert.Empty(site.Requests);
            return;
        }

        Assert.Contains("\r\nServer: site\r\n", answer, StringComparison.Ordinal);
        var request = Assert.Single(site.Requests);
        const string start = "https://" + WebHostUnderTest.Host;
        var path = target.StartsWith(start, StringComparison.Ordinal) ? target[start.Length..] : target;
        var line = $"{item.GetProperty("method").GetString()} {path} HTTP/1.1\r\n";
        if (expected == "scrub")
        {
            Assert.Equal(line.Length, request.IndexOf('\n', StringComparison.Ordinal) + 1);
            var plain = Uri.UnescapeDataString(request);
            Assert.All(Credentials, credential => Assert.DoesNotContain(credential, plain, StringComparison.Ordinal));
            return;
        }

        Assert.StartsWith(line, request, StringComparison.Ordinal);
        foreach (var header in item.GetProperty("headers").EnumerateArray())
        {
            // What belongs to a connection stays there.
            if (header[0].GetString() == "Upgrade") continue;
            Assert.Contains($"\r\n{header[0].GetString()}: {header[1].GetString()}\r\n", request, StringComparison.OrdinalIgnoreCase);
        }
    }

    private static string Bytes(JsonElement item, string method, string target)
    {
        var request = new StringBuilder($"{method} {target} HTTP/1.1\r\nHost: {item.GetProperty("host").GetString()}\r\n");
        foreach (var header in item.GetProperty("headers").EnumerateArray())
            request.Append($"{header[0].GetString()}: {header[1].GetString()}\r\n");
        if (method is "POST" or "PUT") request.Append("Content-Length: 0\r\n");
        return request.Append("Connection: close\r\n\r\n").ToString();
    }

    private static JsonElement Load()
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Vectors", "web_proxy.json")));
        return document.RootElement.Clone();
    }
}
