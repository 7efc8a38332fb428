using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Portico.Core.Net;
using Portico.IntegrationTests.Commands;
using Portico.Protocol.Secrets;
using Portico.TestKit.Proxies;
using Portico.TestKit.Telegram;
using Xunit;

namespace Portico.IntegrationTests.Ping;

/// <summary><c>portico ping</c> as it is typed: what it says of proxies that answer, of some that do not, and of wrong lines.</summary>
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
public sealed class PingCommandTests
{
    private const string Label = "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz.";
    private const string LongName = Label + Label + Label + Label + "example";

    private const string AllProtocols = "fake-tls,secure,intermediate,abridged";

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Every_data_centre_answers_by_every_protocol(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        var (code, output, errors) = await PingAsync(LinkTo(test), "--protocol", AllProtocols, "--repeat", "2");
        Assert.Equal((0, ""), (code, errors));
        Assert.Equal(4, Count(output, ": 10 of 10 data centres answered"));

        (code, output, _) = await PingAsync(LinkTo(test), "--dc=-2,2", "--json");
        Assert.Equal(0, code);
        using var json = JsonDocument.Parse(output);
        var protocol = Assert.Single(json.RootElement.GetProperty("protocols").EnumerateArray());
        Assert.Equal(("fake-tls", true), (protocol.GetProperty("protocol").GetString(), protocol.GetProperty("ok").GetBoolean()));
        Assert.Equal([-2, 2], protocol.GetProperty("dcs").EnumerateArray().Select(dc => dc.GetProperty("dc").GetInt32()));
        Assert.All(protocol.GetProperty("dcs").EnumerateArray(), dc =>
        {
            Assert.Equal((true, 1), (dc.GetProperty("ok").GetBoolean(), dc.GetProperty("answers").GetInt32()));
            Assert.InRange(dc.GetProperty("pingMs").GetDouble(), 0.001, 60_000);
            Assert.InRange(dc.GetProperty("handshakeMs").GetDouble(), 0.001, 60_000);
        });
    }

    [Fact]
    public async Task It_leaves_no_trace_of_a_client_that_was_held_back_on_the_way()
    {
        // As if it came from elsewhere: what comes by loopback is counted only here.
        await using var test = ProxyUnderTest.Start(
            EngineKind.Auto, change: settings => settings with { Limits = settings.Limits with { CountsLoopback = true } });
        var (code, _, _) = await PingAsync(LinkTo(test), "--protocol", AllProtocols);
        Assert.Equal(0, code);
        Assert.Equal(0, test.Metrics.Value("portico_early_ends_total"));
        using (var silent = new TcpClient())
            await silent.ConnectAsync(test.Proxy.Endpoints[0]);
        await test.Metrics.UntilAsync("portico_early_ends_total", 1);
    }

    [Fact]
    public async Task It_goes_through_middle_proxies_too()
    {
        await using var network = FakeTelegramNetwork.Start([1, 2, -2]);
        await using var test = ProxyUnderTest.StartMiddle(EngineKind.Auto, network);
        var (code, output, _) = await PingAsync(LinkTo(test), "--dc", "1,2,-2", "--protocol", AllProtocols);
        Assert.Equal(0, code);
        Assert.Equal(4, Count(output, ": 3 of 3 data centres answered"));
    }

    [Fact]
    public async Task A_data_centre_that_does_not_answer_is_named_and_the_exit_code_is_1()
    {
        await using var network = FakeTelegramNetwork.Start([1]);
        await using var test = ProxyUnderTest.StartMiddle(EngineKind.Auto, network);
        var (code, output, _) = await PingAsync(LinkTo(test), "--dc", "1,5", "--timeout", "15000");
        Assert.Equal(1, code);
        Assert.Contains("fake-tls: 1 of 2 data centres answered", output, StringComparison.Ordinal);
        Assert.Contains("the proxy closed the connection", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_secret_and_nobody_at_all_are_told_in_plain_words()
    {
        await using var test = ProxyUnderTest.Start(EngineKind.Auto);
        var wrong = ProxyLink.Tg(
            "127.0.0.1", test.Endpoint.Port, SecretText.FormatFakeTls(ProxySecret.Create(new byte[16]), "www.example.org"));
        var (code, output, _) = await PingAsync(wrong, "--dc", "2");
        Assert.Equal(1, code);
        Assert.Contains("the hello was answered with a close", output, StringComparison.Ordinal);

        // Bound and not listening: nobody else is given the port meanwhile.
        using var nobody = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        nobody.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var refused = ProxyLink.Tg(
            "127.0.0.1", ((IPEndPoint)nobody.LocalEndPoint!).Port, SecretText.FormatSecure(test.Secret));
        (code, output, _) = await PingAsync(refused, "--dc", "2");
        Assert.Equal(1, code);
        Assert.Contains("the connection was refused", output, StringComparison.Ordinal);

        using var mute = new TcpListener(IPAddress.Loopback, 0);
        mute.Start();
        var silent = ProxyLink.Tg(
            "127.0.0.1", ((IPEndPoint)mute.LocalEndpoint).Port, SecretText.FormatFakeTls(test.Secret, "www.example.org"));
        (code, output, _) = await PingAsync(silent, "--dc", "2", "--timeout", "300");
        Assert.Equal(1, code);
        Assert.Contains("no handshake within 300 ms", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://example.org/", "", "URL: This is not a proxy link")]
    [InlineData($"tg://proxy?server={LongName}&port=443&secret=00112233445566778899aabbccddeeff", "", "URL: The link's server is missing")]
    [InlineData(null, "--dc 0", "--dc needs numbers other than 0")]
    [InlineData(null, "--dc 1,x", "--dc needs numbers other than 0")]
    [InlineData(null, "--protocol tls", "--protocol needs some of abridged, intermediate, secure, fake-tls")]
    [InlineData(null, "--timeout 0", "--timeout needs a number from 1 to 600000")]
    [InlineData(null, "--repeat 1001", "--repeat needs a number from 1 to 1000")]
    public async Task A_wrong_line_is_exit_code_2_and_names_the_option(string? link, string options, string says)
    {
        link ??= ProxyLink.Tg("127.0.0.1", 1, SecretText.FormatSecure(ProxySecret.Create(new byte[16])));
        var (code, output, errors) = await PingAsync([link, .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        Assert.Equal((2, ""), (code, output));
        Assert.Contains(says, errors, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output, string Errors)> PingAsync(params string[] arguments)
    {
        using var directory = new TemporaryDirectory();
        return await PorticoProcess.RunAsync(directory.Path, ["ping", .. arguments]);
    }

    private static string LinkTo(ProxyUnderTest test) =>
        ProxyLink.Tg("127.0.0.1", test.Endpoint.Port, SecretText.FormatFakeTls(test.Secret, "www.example.org"));

    private static int Count(string text, string part) => text.Split(part).Length - 1;
}
