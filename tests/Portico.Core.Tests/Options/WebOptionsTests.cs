using System.Net;
using Portico.Core.Options;
using Portico.Protocol.WebProxy;
using Xunit;

namespace Portico.Core.Tests.Options;

public sealed class WebOptionsTests
{
    private static ParsedOptions Parse(
        Action<WebOptions>? change = null, string[]? protocols = null, string? domain = null, Action<ProxyOptions>? whole = null)
    {
        var web = new WebOptions { Host = "www.example.org", Site = "/srv/www" };
        change?.Invoke(web);
        var options = new ProxyOptions
        {
            Listeners =
            [
                new ListenerOptions
                {
                    Secret = "0123456789abcdef0123456789abcde0", Protocols = protocols ?? [], Domain = domain, Web = web,
                },
            ],
            DataDirectory = "/var/lib/portico/data",
        };
        whole?.Invoke(options);
        return ProxyOptionsParser.Parse(options, "/etc/portico");
    }

    [Fact]
    public void A_host_and_a_site_are_enough()
    {
        var parsed = Parse();

        var web = parsed.Settings!.Listeners[0].Web!;
        Assert.Empty(parsed.Warnings);
        Assert.Equal(("www.example.org", "/"), (web.Address.Host, web.Address.Base));
        Assert.Equal([WebCarrier.WebSocket, WebCarrier.Https], web.Carriers.AsEnumerable());
        Assert.True(web is { TakesSecure: true, TakesClassic: false, Certificate: null, Socket: null });
        Assert.Equal(CoverMode.Off, parsed.Settings.Cover.Mode);
    }

    [Theory]
    [InlineData(null, "web.host")]
    [InlineData("WWW.example.org", "web.host")]
    [InlineData("bücher.example", "web.host")]
    [InlineData("192.0.2.1", "web.host")]
    [InlineData("localhost", "web.host")]
    public void The_host_is_in_the_form_that_apps_store(string? host, string key) => AssertWrong(Parse(web => web.Host = host), key);

    [Theory]
    [InlineData("/chat")]
    [InlineData("a/../b")]
    [InlineData("a b")]
    public void The_path_likewise(string path) => AssertWrong(Parse(web => web.Path = path), "web.path");

    [Fact]
    public void Certificate_and_key_go_together()
    {
        AssertWrong(Parse(web => web.Certificate = "/etc/site.pem"), "web.key");
        AssertWrong(Parse(web => web.Key = "/etc/site.key"), "web.certificate");
    }

    [Theory]
    [InlineData("127.0.0.1:8080")]
    [InlineData("ftp://127.0.0.1")]
    [InlineData("http://127.0.0.1/site")]
    [InlineData("http://user@127.0.0.1")]
    public void A_server_behind_is_an_address_without_a_path(string upstream) =>
        AssertWrong(Parse(web => (web.Site, web.SiteUpstream) = (null, upstream)), "web.siteUpstream");

    [Fact]
    public void Paths_start_where_the_configuration_is()
    {
        var web = Parse(web => (web.Certificate, web.Key, web.Site) = ("site.pem", "/etc/ssl/site.key", "www")).Settings!.Listeners[0].Web!;

        Assert.Equal(("/etc/portico/site.pem", "/etc/ssl/site.key", "/etc/portico/www"), (web.Certificate, web.Key, web.Site));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData(".")]
    [InlineData("/")]
    [InlineData("/etc")]
    [InlineData("/var/lib/portico")]
    [InlineData("/var/lib/portico/data")]
    [InlineData("a\0b")]
    public void A_site_that_would_show_secrets_or_is_no_path_is_an_error(string site) =>
        AssertWrong(Parse(web => web.Site = site), "web.site");

    [Fact]
    public void There_is_one_site()
    {
        AssertWrong(Parse(web => web.SiteUpstream = "http://127.0.0.1:8080"), "web.siteUpstream");
        Assert.Equal("listeners[0].web.site", Assert.Single(Parse(web => web.Site = null).Warnings).Key);
    }

    [Fact]
    public void There_are_carriers_and_forms_of_secrets()
    {
        AssertWrong(Parse(web => web.Carriers = []), "web.carriers");
        AssertWrong(Parse(web => web.Carriers = ["https", "https"]), "web.carriers");
        AssertWrong(Parse(web => web.Carriers = ["websockets"]), "web.carriers[0]");
        AssertWrong(Parse(web => web.Secrets = []), "web.secrets");
        AssertWrong(Parse(web => web.Secrets = ["fake-tls"]), "web.secrets[0]");
    }

    [Theory]
    [InlineData("0.0.0.0/0")]
    [InlineData("::/0")]
    [InlineData("nginx")]
    public void Not_everybody_is_trusted(string network) => AssertWrong(Parse(web => web.Trusted = [network]), "web.trusted[0]");

    [Fact]
    public void Two_links_that_nobody_could_tell_apart_are_an_error() => AssertWrong(
        Parse(web => web.Secrets = ["secure", "classic"], whole: options => options.Listeners[0].Users =
        [
            new UserOptions { Name = "one", Secret = "11223344556677889900aabbccddee00" },
            new UserOptions { Name = "two", Secret = "dd11223344556677889900aabbccddee" },
        ]),
        "web.secrets");

    [Fact]
    public void Without_other_protocols_and_without_web_there_is_nothing_to_do() => Assert.Contains(
        Parse(whole: options => options.Listeners[0].Web = null).Errors, error => error.Key == "listeners[0].protocols");

    [Fact]
    public void Beside_fake_TLS_the_site_is_the_cover_and_its_name_the_one_of_links()
    {
        var settings = Shared().Settings!;

        Assert.Equal("www.example.org", settings.Listeners[0].Domain);
        var socket = $"/var/lib/portico/data/web-{Environment.ProcessId}.sock";
        Assert.Equal(socket, settings.Listeners[0].Web!.Socket);
        Assert.Equal(
            (CoverMode.Fixed, $"unix:{socket}", 2),
            (settings.Cover.Mode, settings.Cover.Target!.ToString(), settings.Cover.ProxyProtocol));
    }

    [Fact]
    public void Beside_fake_TLS_it_needs_a_certificate_and_no_other_cover()
    {
        AssertWrong(Parse(protocols: ["fake-tls"]), "web.certificate");
        Assert.Equal("cover.mode", Assert.Single(Shared(options =>
            (options.Cover.Mode, options.Cover.Target) = ("fixed", "www.example.com:443")).Errors).Key);
        Assert.Equal("dataDirectory", Assert.Single(Shared(options => options.DataDirectory = "/" + new string('d', 100)).Errors).Key);
    }

    [Fact]
    public void One_listener_may_have_both() => Assert.Equal("listeners[1].web", Assert.Single(Shared(options => options.Listeners =
    [
        options.Listeners[0],
        new ListenerOptions
        {
            Secret = "0123456789abcdef0123456789abcde1",
            Port = 9443,
            Web = new WebOptions { Host = "other.example.org", Site = "/srv/www", Certificate = "/c.pem", Key = "/k.pem" },
        },
    ]).Errors).Key);

    [Fact]
    public void Another_domain_than_the_site_s_is_a_warning() => Assert.Equal(
        "listeners[0].domain", Assert.Single(Shared(options => options.Listeners[0].Domain = "www.example.com").Warnings).Key);

    [Fact]
    public void Servers_in_front_are_networks() => Assert.Equal(
        [IPNetwork.Parse("127.0.0.1/32"), IPNetwork.Parse("fd00::/8")],
        Parse(web => web.Trusted = ["127.0.0.1/32", "fd00::/8"]).Settings!.Listeners[0].Web!.Trusted.AsEnumerable());

    private static ParsedOptions Shared(Action<ProxyOptions>? whole = null) => Parse(
        web => (web.Certificate, web.Key) = ("/etc/site.pem", "/etc/site.key"), ["fake-tls"], whole: whole);

    private static void AssertWrong(ParsedOptions parsed, string key) =>
        Assert.Equal($"listeners[0].{key}", Assert.Single(parsed.Errors).Key);
}
