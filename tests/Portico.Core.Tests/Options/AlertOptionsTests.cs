using Portico.Core.Options;
using Xunit;

namespace Portico.Core.Tests.Options;

public sealed class AlertOptionsTests
{
    private static ParsedOptions Parse(string? webhook) => ProxyOptionsParser.Parse(
        new ProxyOptions
        {
            Listeners = [new ListenerOptions { Secret = "0123456789abcdef0123456789abcdef", Domain = "www.example.com" }],
            Alerts = new AlertOptions { Webhook = webhook },
        },
        "/etc/portico");

    [Fact]
    public void Without_a_word_nobody_is_told() => Assert.Null(Parse(null).Settings!.Alerts.Webhook);

    [Theory]
    [InlineData("https://hooks.example.org/t/5f1c?key=9e", "https://hooks.example.org/[secret]")]
    [InlineData("http://127.0.0.1:8080", "http://127.0.0.1:8080/[secret]")]
    [InlineData("http://[::1]:8080/x", "http://[::1]:8080/[secret]")]
    public void An_address_of_the_web_is_taken_whole_and_prints_as_its_host(string text, string shown)
    {
        var address = Parse(text).Settings!.Alerts.Webhook!;

        Assert.Equal(new Uri(text), address.Reveal());
        Assert.Equal(shown, address.ToString());
        Assert.Equal(shown, $"{address}");
    }

    [Theory]
    [InlineData("ftp://hooks.example.org/word-7")]
    [InlineData("hooks.example.org/word-7")]
    [InlineData("/word-7")]
    [InlineData("https://anna:word-7@hooks.example.org/")]
    [InlineData("")]
    public void What_is_none_is_an_error_that_does_not_quote_it(string text)
    {
        var error = Assert.Single(Parse(text).Errors);

        Assert.Equal("alerts.webhook", error.Key);
        Assert.DoesNotContain("word-7", error.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void An_address_longer_than_any_is_an_error() =>
        Assert.Single(Parse($"https://hooks.example.org/{new string('x', 2048)}").Errors);

    [Fact]
    public void Another_address_takes_effect_at_once()
    {
        var after = new ProxyOptions { Alerts = new AlertOptions { Webhook = "https://hooks.example.org" } };

        var plan = ReloadPlan.Of(new ProxyOptions(), after);

        Assert.Equal(("alerts.webhook", TakesEffect.Live), (Assert.Single(plan.Changes).Key, plan.Changes[0].TakesEffect));
        Assert.Equal("https://hooks.example.org", plan.Effective.Alerts.Webhook);
    }
}
