using System.Net;
using Portico.Core.Tests.Staging;
using Xunit;

namespace Portico.Core.Tests.Telegram;

public sealed class ExternalAddressTests : IAsyncDisposable
{
    private readonly UpdaterStage _stage = new UpdaterStage().WithGoodSite();

    public ValueTask DisposeAsync() => _stage.DisposeAsync();

    [Theory]
    [InlineData("")]
    [InlineData("<html>")]
    [InlineData("8.8.4")]
    [InlineData("0x08080404")]
    [InlineData("10.0.0.7")]
    [InlineData("127.0.0.1")]
    [InlineData("fe80::1")]
    [InlineData("8.8.4.4 8.8.8.8")]
    [InlineData("999.1.1.1")]
    [InlineData("                                                                                              8.8.4.4")]
    public async Task A_service_without_a_public_address_is_passed_over_for_the_next(string body)
    {
        _stage.Site.Serve(UpdaterStage.FirstIpUrl, body);
        _stage.Site.Serve(UpdaterStage.SecondIpUrl, " 8.8.8.8\r\n");

        await _stage.StartAsync();

        Assert.Equal(IPAddress.Parse("8.8.8.8"), _stage.Current.ExternalV4);
        Assert.Equal(1, _stage.Updates("external_ip", body.Length > 64 ? "too_large" : "invalid"));
        Assert.Empty(_stage.Warnings);
    }

    [Fact]
    public async Task Services_are_asked_in_order_and_no_further_than_needed()
    {
        _stage.Site.Serve(UpdaterStage.SecondIpUrl, "8.8.8.8");

        await _stage.StartAsync();

        Assert.Equal(IPAddress.Parse("8.8.4.4"), _stage.Current.ExternalV4);
        Assert.DoesNotContain(UpdaterStage.SecondIpUrl, _stage.Site.Requests);
    }

    [Fact]
    public async Task An_older_answer_outlives_the_failure_of_all_services_which_is_told_once()
    {
        await _stage.StartAsync();
        _stage.Site.Vanish(UpdaterStage.FirstIpUrl);
        _stage.Local4 = IPAddress.Parse("9.9.9.9");

        await _stage.RefreshAsync();
        await _stage.RefreshAsync();

        Assert.Equal(IPAddress.Parse("8.8.4.4"), _stage.Current.ExternalV4);
        Assert.Contains("8.8.4.4", Assert.Single(_stage.Warnings), StringComparison.Ordinal);

        _stage.Site.Serve(UpdaterStage.FirstIpUrl, "8.8.8.8");
        await _stage.RefreshAsync();

        Assert.Equal(IPAddress.Parse("8.8.8.8"), _stage.Current.ExternalV4);
        Assert.Single(_stage.Log.Lines, line => line.EventName == "ExternalAddressWorks");
        Assert.Single(_stage.Warnings);
    }

    [Theory]
    [InlineData("9.9.9.9", "9.9.9.9")]
    [InlineData("10.0.0.7", null)]
    [InlineData(null, null)]
    public async Task Without_any_answer_the_machines_own_address_serves_if_it_is_public(string? local, string? used)
    {
        _stage.Site.Vanish(UpdaterStage.FirstIpUrl);
        _stage.Local4 = local is null ? null : IPAddress.Parse(local);

        await _stage.StartAsync();

        Assert.Equal(used, _stage.Current.ExternalV4?.ToString());
        Assert.Single(_stage.Warnings);
    }

    [Fact]
    public async Task What_the_operator_says_counts_and_nobody_is_asked()
    {
        _stage.Middle = _stage.Middle with { ExternalV4 = IPAddress.Parse("10.1.1.1"), ExternalV6 = IPAddress.Parse("fd00::1") };
        _stage.Local4 = IPAddress.Parse("9.9.9.9");
        _stage.Local6 = IPAddress.Parse("2001:4860::9");
        var first = _stage.Open();

        await _stage.StartAsync();

        Assert.All([first, _stage.Current], config => Assert.Equal(
            ("10.1.1.1", "fd00::1"), (config.ExternalV4?.ToString(), config.ExternalV6?.ToString())));
        Assert.DoesNotContain(UpdaterStage.FirstIpUrl, _stage.Site.Requests);
    }

    [Fact]
    public async Task An_answer_in_IPv6_is_taken_as_such()
    {
        _stage.Site.Serve(UpdaterStage.FirstIpUrl, "2001:4860:4860::8888");

        await _stage.StartAsync();

        Assert.Equal((null, "2001:4860:4860::8888"), (_stage.Current.ExternalV4?.ToString(), _stage.Current.ExternalV6?.ToString()));
    }

    [Fact]
    public async Task Without_services_the_machines_own_addresses_serve_and_that_is_no_failure()
    {
        _stage.Middle = _stage.Middle with { IpLookupServices = [] };
        _stage.Local4 = IPAddress.Parse("9.9.9.9");
        _stage.Local6 = IPAddress.Parse("2001:4860::9");

        await _stage.StartAsync();

        Assert.Equal(("9.9.9.9", "2001:4860::9"), (_stage.Current.ExternalV4?.ToString(), _stage.Current.ExternalV6?.ToString()));
        Assert.Empty(_stage.Warnings);
    }
}
