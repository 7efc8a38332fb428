using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.IntegrationTests.Commands;
using Portico.Links;
using Portico.TestKit.Telegram;
using Xunit;

namespace Portico.IntegrationTests.Links;

/// <summary>Which address links show where the machine has none that everybody can reach.</summary>
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
public sealed class PublicLinksTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    // Where the machine that tests has a public address itself, there is nothing to ask.
    private static bool IsPublic => AddressReach.Of(PublicAddress.Find(IPAddress.IPv6Any)) == Reach.World;

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("::", "192.168.1.7", null, true)]
    [InlineData("0.0.0.0", "127.0.0.1", null, true)]
    [InlineData("10.0.0.7", "10.0.0.7", null, true)]
    [InlineData("127.0.0.1", "127.0.0.1", null, false)]
    [InlineData("::", "8.8.8.8", null, false)]
    [InlineData("::", "192.168.1.7", "proxy.example.org", false)]
    public void Only_links_that_lead_nobody_here_need_an_address(string address, string shown, string? publicHost, bool needs)
    {
        var listener = new ListenerSettings
        {
            Name = "main",
            Credentials = [],
            Address = new IPEndPoint(IPAddress.Parse(address), 0),
            PublicHost = publicHost,
        };

        Assert.Equal(needs, PublicLinks.Needs(listener, IPAddress.Parse(shown)));
    }

    [Fact]
    public async Task A_first_start_in_direct_mode_prints_the_links_again_with_the_address_that_a_service_tells()
    {
        if (IsPublic) return;
        await using var site = FakeConfigSite.Start();
        site.Set(FakeConfigSite.AddressPath, SiteReply.Text("8.8.4.4\n"));

        await using var portico = Start($"{site.UrlOf("/nothing")},{site.AddressUrl}");
        var near = await portico.LineAsync("tg://");
        var found = await portico.LineAsync("tg://");
        portico.Signal(Signals.Terminate);
        var (code, _, errors) = await portico.EndAsync();

        Assert.DoesNotContain("8.8.4.4", near, StringComparison.Ordinal);
        Assert.StartsWith("tg://proxy?server=8.8.4.4&", found, StringComparison.Ordinal);
        Assert.Equal(near[near.IndexOf("&port=", StringComparison.Ordinal)..], found[found.IndexOf("&port=", StringComparison.Ordinal)..]);
        Assert.Contains("\"publicHost\": \"8.8.4.4\" in listener main", errors, StringComparison.Ordinal);
        Assert.Equal(0, code);
    }

    [Fact]
    public async Task A_service_that_does_not_answer_delays_neither_the_links_nor_the_end()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();

        await using var portico = Start($"http://{silent.LocalEndpoint}/");
        await portico.LineAsync("tg://");
        using var asked = IsPublic ? null : await silent.AcceptSocketAsync();
        portico.Signal(Signals.Terminate);
        var (code, output, errors) = await portico.EndAsync();

        Assert.Equal(0, code);
        Assert.Equal(1, output.Split("tg://").Length - 1);
        Assert.DoesNotContain("outside", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_network_the_start_says_no_more_than_before()
    {
        using var closed = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp); // bound, never listening
        closed.Bind(new IPEndPoint(IPAddress.Loopback, 0));

        await using var portico = Start($"http://{closed.LocalEndPoint}/");
        await portico.LineAsync("tg://");
        portico.Signal(Signals.Terminate);
        var (code, output, errors) = await portico.EndAsync();

        Assert.Equal((0, 1), (code, output.Split("tg://").Length - 1));
        Assert.DoesNotContain("outside", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_a_public_host_nobody_is_asked()
    {
        await using var site = FakeConfigSite.Start();

        await using var portico = Start($"{site.AddressUrl}", "--public-host", "proxy.example.org");
        await portico.LineAsync("tg://");
        portico.Signal(Signals.Terminate);
        await portico.EndAsync();

        Assert.Empty(site.Requests);
    }

    [Fact]
    public async Task An_external_address_that_the_operator_names_is_shown_and_nobody_is_asked()
    {
        if (IsPublic) return;
        await using var site = FakeConfigSite.Start();

        await using var portico = PorticoProcess.Start(
            _directory.Path, ["--port", "0"],
            new Dictionary<string, string>
            {
                [PorticoProcess.AddressServices] = $"{site.AddressUrl}",
                ["PORTICO__backend__middle__externalIp"] = "8.8.8.8",
            });
        await portico.LineAsync("tg://");
        var found = await portico.LineAsync("tg://");
        portico.Signal(Signals.Terminate);
        await portico.EndAsync();

        Assert.StartsWith("tg://proxy?server=8.8.8.8&", found, StringComparison.Ordinal);
        Assert.Empty(site.Requests);
    }

    [Fact]
    public async Task An_empty_list_of_services_asks_nobody() =>
        await TellAsync(new MiddleProxySettings { IpLookupServices = [] }, _ => Assert.Fail("there is nothing to tell"));

    [Fact]
    public async Task An_answer_that_the_listener_cannot_be_reached_at_is_not_shown()
    {
        await using var site = FakeConfigSite.Start();
        site.Set(FakeConfigSite.AddressPath, SiteReply.Text("2001:67c:4e8:f002::a"));

        await TellAsync(
            new MiddleProxySettings { IpLookupServices = [site.AddressUrl] }, _ => Assert.Fail("the listener is on IPv4 alone"));

        Assert.Single(site.Requests);
    }

    private static Task TellAsync(MiddleProxySettings middle, Action<ShareLink[]> print)
    {
        var listener = new ListenerSettings { Name = "main", Credentials = [], Address = new IPEndPoint(IPAddress.Parse("10.0.0.7"), 0) };
        var settings = new ProxySettings
        {
            Listeners = [listener],
            Direct = new DirectSettings(),
            TimeWindow = new TimeWindowSettings(),
            Timeouts = new TimeoutSettings(),
            Middle = middle,
        };
        return new PublicLinks(settings, [listener.Address], NullLogger.Instance).TellAsync(print, CancellationToken.None);
    }

    private PorticoProcess Start(string services, params string[] arguments) => PorticoProcess.Start(
        _directory.Path, ["--port", "0", .. arguments], new Dictionary<string, string> { [PorticoProcess.AddressServices] = services });
}
