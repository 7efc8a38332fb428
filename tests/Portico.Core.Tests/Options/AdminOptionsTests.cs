using System.Net;
using Portico.Core.Options;
using Xunit;

namespace Portico.Core.Tests.Options;

public sealed class AdminOptionsTests
{
    private static ParsedOptions Parse(Action<AdminOptions> change, string? otlp = null, string data = "/var/lib/portico/data")
    {
        var options = new ProxyOptions
        {
            Listeners = [new ListenerOptions { Secret = "0123456789abcdef0123456789abcdef", Domain = "www.example.com" }],
            DataDirectory = data,
            Telemetry = new TelemetryOptions { Otlp = otlp },
        };
        change(options.Admin);
        return ProxyOptionsParser.Parse(options, "/etc/portico");
    }

    [Fact]
    public void Without_a_word_it_is_on_loopback_and_on_a_socket_beside_the_data()
    {
        var admin = Parse(_ => { }).Settings!.Admin;

        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 8444), admin.Address);
        Assert.Null(admin.Token);
        Assert.Equal(["/var/lib/portico/admin.sock", "/var/lib/portico/data/admin.sock"], admin.Sockets.AsEnumerable());
    }

    [Fact]
    public void Null_is_off()
    {
        var admin = Parse(admin => (admin.Address, admin.Socket) = (null, null)).Settings!.Admin;

        Assert.Null(admin.Address);
        Assert.Empty(admin.Sockets);
    }

    [Theory]
    [InlineData("127.0.0.1:0", "127.0.0.1:0")]
    [InlineData("[::1]:8444", "[::1]:8444")]
    public void An_address_has_a_port(string text, string address) =>
        Assert.Equal(IPEndPoint.Parse(address), Parse(admin => admin.Address = text).Settings!.Admin.Address);

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1:8444")]
    [InlineData("[127.0.0.1]:8444")]
    [InlineData("localhost:8444")]
    [InlineData("127.1:8444")]
    [InlineData("127.0.0.1:65536")]
    [InlineData(":8444")]
    [InlineData("")]
    public void What_is_no_address_is_an_error(string text) =>
        Assert.Equal("admin.address", Assert.Single(Parse(admin => admin.Address = text).Errors).Key);

    [Fact]
    public void An_address_that_others_can_reach_is_a_warning() => Assert.Contains(
        Parse(admin => admin.Address = "0.0.0.0:8444").Warnings, warning => warning.Key == "admin.address");

    [Theory]
    [InlineData("")]
    [InlineData("too short")]
    [InlineData("has a space in its middle")]
    [InlineData("schlüssel-mit-umlaut")]
    public void A_token_that_cannot_be_sent_or_is_short_is_an_error_that_does_not_show_it(string token)
    {
        var error = Assert.Single(Parse(admin => admin.Token = token).Errors);

        Assert.Equal("admin.token", error.Key);
        if (token.Length > 0) Assert.DoesNotContain(token, error.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_token_matches_itself_alone()
    {
        var token = new AdminToken("0123456789abcdef");

        Assert.True(token.Matches("0123456789abcdef"));
        Assert.False(token.Matches("0123456789abcdeF"));
        Assert.False(token.Matches("0123456789abcdef0"));
        Assert.False(token.Matches(""));
    }

    [Fact]
    public void A_socket_whose_path_is_too_long_for_the_system_is_a_warning() => Assert.Contains(
        Parse(admin => admin.Socket = "/" + new string('a', 108)).Warnings, warning => warning.Key == "admin.socket");

    [Theory]
    [InlineData("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/metrics")]
    [InlineData("https://collector.example.org/otlp/metrics", "https://collector.example.org/otlp/metrics")]
    public void A_collector_without_a_path_gets_the_usual_one(string text, string url) =>
        Assert.Equal(new Uri(url), Parse(_ => { }, text).Settings!.Telemetry.Otlp);

    [Theory]
    [InlineData("127.0.0.1:4318")]
    [InlineData("ftp://collector.example.org")]
    [InlineData("")]
    public void What_is_no_collector_is_an_error(string text) =>
        Assert.Equal("telemetry.otlp", Assert.Single(Parse(_ => { }, text).Errors).Key);

    [Fact]
    public void Token_and_hosts_count_at_once_the_rest_at_a_start()
    {
        static ProxyOptions With(Action<AdminOptions> change)
        {
            var options = new ProxyOptions();
            change(options.Admin);
            return options;
        }

        var plan = ReloadPlan.Of(new ProxyOptions(), With(admin =>
        {
            admin.Token = "0123456789abcdef";
            admin.Hosts = ["panel.example.org"];
            admin.Address = null;
        }));

        Assert.Equal(
            [("admin.address", TakesEffect.Restart), ("admin.token", TakesEffect.Live), ("admin.hosts", TakesEffect.Live)],
            plan.Changes.Select(change => (change.Key, change.TakesEffect)));
    }
}
