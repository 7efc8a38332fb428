using System.Text.RegularExpressions;
using Portico.Protocol.WebProxy;
using Portico.Web.Page;
using Portico.Web.Tests.Staging;
using Xunit;

namespace Portico.Web.Tests.Page;

/// <summary>The bridge page as apps and their WebViews get it.</summary>
public sealed partial class BridgePageTests
{
    [Theory]
    [InlineData("")]
    [InlineData("some/where")]
    public async Task Its_answer_has_what_apps_need_and_nothing_else(string path)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { Path = path });

        var answer = await AskAsync(host, path);

        var head = answer[..answer.IndexOf("\r\n\r\n", StringComparison.Ordinal)];
        var body = answer[(head.Length + 4)..^"CLOSED".Length];
        var nonce = Nonce().Match(head).Groups[1].Value;
        var lines = head.Split("\r\n").Where(line => !line.StartsWith("Permissions-Policy: ", StringComparison.Ordinal));
        string[] expected =
        [
            "HTTP/1.1 200 OK", $"Content-Length: {body.Length}", "Connection: close", "Content-Type: text/html; charset=utf-8", "Date: now",
            "Cache-Control: no-store", "Referrer-Policy: no-referrer", "X-Content-Type-Options: nosniff", "X-DNS-Prefetch-Control: off",
            "Content-Security-Policy: default-src 'none'; base-uri 'none'; child-src 'none'; connect-src 'self' wss://proxy.example.com; "
                + "font-src 'none'; form-action 'none'; frame-ancestors http://127.0.0.1:*; frame-src 'none'; img-src 'none'; "
                + "manifest-src 'none'; media-src 'none'; object-src 'none'; "
                + $"script-src 'nonce-{nonce}'; style-src 'none'; worker-src 'none'; sandbox allow-same-origin allow-scripts",
        ];
        Assert.Equal(expected.Order(), lines.Order());
        Assert.Equal(24, nonce.Length);
        var script = Assert.Single(Script().Matches(body));
        Assert.Equal(nonce, script.Groups[1].Value);
        Assert.Equal(1, body.Split("</script", StringSplitOptions.None).Length - 1);
        Assert.DoesNotContain("{{", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_texts_that_apps_without_a_page_look_for_are_there_once()
    {
        await using var host = await WebHostUnderTest.StartAsync();

        var body = await AskAsync(host, "");

        foreach (var text in new[] { "bootstrap=", "carrierMode=", "batchLimit=" })
            Assert.Equal(1, body.Split(text).Length - 1);
        Assert.Contains("carrierMode=\"https\"", body, StringComparison.Ordinal);
        Assert.Contains("batchLimit=2097152", body, StringComparison.Ordinal);
        Assert.Matches("bootstrap=\"[A-Za-z0-9_-]{43}\"", body);
        Assert.Contains("[\"websocket\",\"https\",\"websocket-lanes\",\"https-lanes\"]", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nonce_and_token_are_others_in_each_answer()
    {
        await using var host = await WebHostUnderTest.StartAsync();

        var answers = new[] { await AskAsync(host, ""), await AskAsync(host, ""), await AskAsync(host, "") };

        Assert.Distinct(answers.Select(answer => Nonce().Match(answer).Groups[1].Value));
        Assert.Distinct(answers.Select(answer => Bootstrap().Match(answer).Groups[1].Value));
    }

    [Theory]
    [InlineData("</script><script>alert(1)</script>")]
    [InlineData("\"+alert(1)+\"")]
    [InlineData("\\\u2028\r\n<!--")]
    public void A_hostile_value_stays_a_value(string value)
    {
        var quoted = BridgePage.Quoted(value);

        Assert.DoesNotContain('<', quoted);
        Assert.DoesNotContain('\u2028', quoted);
        Assert.DoesNotContain('"', quoted[1..^1]);
        Assert.Equal(value, System.Text.Json.JsonSerializer.Deserialize<string>(quoted));
    }

    [Fact]
    public async Task Each_gate_has_a_page_of_its_own()
    {
        await using var host = await WebHostUnderTest.StartAsync();
        Assert.Contains("carrierMode=\"https\"", await AskAsync(host, ""), StringComparison.Ordinal);

        host.Gate = host.MakeGate(host.Settings with { Carriers = [WebCarrier.WebSocket] });

        Assert.Contains("carrierMode=\"websocket\"", await AskAsync(host, ""), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_script_without_a_place_for_the_token_is_noticed()
    {
        await using var host = await WebHostUnderTest.StartAsync();

        Assert.Equal(
            "<!DOCTYPE html><html><head><meta charset=\"utf-8\"></head><body><script nonce=\"{{nonce}}\">"
                + "a=\"https\";b=\"/\";c=\"{{bootstrap}}\"</script></body></html>",
            BridgePage.Render("a=\"{{carrierMode}}\";b=\"{{base}}\";c=\"{{bootstrap}}\"", host.Gate));
        Assert.Throws<InvalidOperationException>(() => new BridgePage(host.Gate, "no place"));
        Assert.Throws<InvalidOperationException>(() => new BridgePage(host.Gate, "\"{{bootstrap}}\"\"{{bootstrap}}\""));
    }

    private static async Task<string> AskAsync(WebHostUnderTest host, string path) => RawHttp.WithoutDate(await RawHttp.AskAsync(
        host.Server.Address,
        $"GET {host.Settings.Address.Base}?bridge={WebHostUnderTest.WebCapability(path)} HTTP/1.1\r\nHost: {WebHostUnderTest.Host}\r\n"
        + "Connection: close\r\n\r\n"));

    [GeneratedRegex("script-src 'nonce-([A-Za-z0-9_-]+)'")]
    private static partial Regex Nonce();

    [GeneratedRegex("<script nonce=\"([^\"]*)\">")]
    private static partial Regex Script();

    [GeneratedRegex("bootstrap=\"([^\"]*)\"")]
    private static partial Regex Bootstrap();
}
