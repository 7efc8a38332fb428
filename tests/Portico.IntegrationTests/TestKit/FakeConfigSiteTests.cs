using System.Net;
using System.Net.Sockets;
using Portico.Protocol.TelegramConfig;
using Portico.TestKit.Telegram;
using Xunit;

namespace Portico.IntegrationTests.TestKit;

/// <summary>The configuration site as an ordinary HTTP client sees it, honest and otherwise.</summary>
public sealed class FakeConfigSiteTests
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false });

    [Fact]
    public async Task It_serves_secret_addresses_and_address()
    {
        await using var site = FakeConfigSite.Start();
        var document = new ProxyConfigDocument(2, [(2, IPEndPoint.Parse("127.0.0.1:8888")), (-4, IPEndPoint.Parse("127.0.0.1:8889"))]);
        site.Publish(document);
        site.PublishV6(new ProxyConfigDocument(null, [(2, IPEndPoint.Parse("[::1]:80"))]));

        Assert.Equal(site.Secret.Bytes.ToArray(), await _http.GetByteArrayAsync(site.SecretUrl));
        Assert.Equal(document.Write(), await _http.GetStringAsync(site.ConfigUrl));
        Assert.Equal("proxy_for 2 [::1]:80;\n", await _http.GetStringAsync(site.ConfigV6Url));
        Assert.Equal("127.0.0.1\n", await _http.GetStringAsync(site.AddressUrl));
    }

    [Fact]
    public async Task It_counts_requests_and_remembers_who_asked()
    {
        await using var site = FakeConfigSite.Start();
        using var message = new HttpRequestMessage(HttpMethod.Get, site.UrlOf("/ip?format=text"));
        message.Headers.UserAgent.ParseAdd("tester/1.0");
        using var answer = await _http.SendAsync(message);
        await _http.GetStringAsync(site.SecretUrl);
        await site.UntilAsync(it => it.Requests.Count == 2);
        Assert.Equal(
            (1, 1, 0),
            (site.CountOf(FakeConfigSite.AddressPath), site.CountOf(FakeConfigSite.SecretPath), site.CountOf(FakeConfigSite.ConfigPath)));
        Assert.Equal(
            ("GET", "/ip?format=text", "tester/1.0"), (site.Requests[0].Method, site.Requests[0].Target, site.Requests[0].UserAgent));
    }

    [Theory]
    [InlineData(404)]
    [InlineData(500)]
    public async Task It_gives_errors_when_told_and_the_old_answer_again(int status)
    {
        await using var site = FakeConfigSite.Start();
        var before = site.Set(FakeConfigSite.SecretPath, SiteReply.Error(status));
        using var answer = await _http.GetAsync(site.SecretUrl);
        Assert.Equal(status, (int)answer.StatusCode);
        site.Set(FakeConfigSite.SecretPath, before!);
        Assert.Equal(site.Secret.Bytes.ToArray(), await _http.GetByteArrayAsync(site.SecretUrl));
    }

    [Fact]
    public async Task It_knows_nothing_of_other_paths()
    {
        await using var site = FakeConfigSite.Start();
        using var answer = await _http.GetAsync(site.UrlOf("/"));
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task It_points_elsewhere()
    {
        await using var site = FakeConfigSite.Start();
        site.Set(FakeConfigSite.ConfigPath, SiteReply.Redirect(site.AddressUrl));
        using var answer = await _http.GetAsync(site.ConfigUrl);
        Assert.Equal((HttpStatusCode.Found, site.AddressUrl), (answer.StatusCode, answer.Headers.Location));
    }

    [Fact]
    public async Task It_ends_before_its_body_does()
    {
        await using var site = FakeConfigSite.Start();
        site.Set(FakeConfigSite.ConfigPath, SiteReply.Truncated("proxy_for 2 "u8.ToArray()));
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => _http.GetStringAsync(site.ConfigUrl));
    }

    [Fact]
    public async Task It_says_what_is_no_HTTP()
    {
        await using var site = FakeConfigSite.Start();
        site.Set(FakeConfigSite.ConfigPath, SiteReply.Garbage());
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => _http.GetStringAsync(site.ConfigUrl));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task It_says_too_much(bool isDeclared)
    {
        await using var site = FakeConfigSite.Start();
        site.Set(FakeConfigSite.ConfigPath, SiteReply.Oversized(isDeclared));
        using var answer = await _http.GetAsync(site.ConfigUrl, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(isDeclared ? SiteReply.OversizedLength : null, answer.Content.Headers.ContentLength);
        Assert.Equal(SiteReply.OversizedLength, (await answer.Content.ReadAsByteArrayAsync()).Length);
    }

    [Fact]
    public async Task It_answers_when_the_gate_opens()
    {
        await using var site = FakeConfigSite.Start();
        var gate = new Gate(isOpen: false);
        site.Set(FakeConfigSite.AddressPath, SiteReply.Text("192.0.2.1") with { Gate = gate });
        var asking = _http.GetStringAsync(site.AddressUrl);
        await site.UntilAsync(it => it.CountOf(FakeConfigSite.AddressPath) == 1);
        Assert.False(asking.IsCompleted);
        gate.Open();
        Assert.Equal("192.0.2.1", await asking);
    }

    [Fact]
    public async Task It_refuses_connections_for_a_while_and_comes_back()
    {
        await using var site = FakeConfigSite.Start();
        await site.StopListeningAsync();
        var error = await Assert.ThrowsAsync<HttpRequestException>(() => _http.GetStringAsync(site.AddressUrl));
        Assert.Equal(SocketError.ConnectionRefused, Assert.IsType<SocketException>(error.InnerException).SocketErrorCode);
        site.ListenAgain();
        Assert.Equal("127.0.0.1\n", await _http.GetStringAsync(site.AddressUrl));
    }
}
