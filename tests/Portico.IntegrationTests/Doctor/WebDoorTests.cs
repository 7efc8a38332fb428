using System.Net;
using System.Security.Cryptography.X509Certificates;
using Portico.Core.Options;
using Portico.Doctor;
using Portico.Doctor.Checks;
using Portico.Protocol.Secrets;
using Portico.Protocol.WebProxy;
using Xunit;

namespace Portico.IntegrationTests.Doctor;

/// <summary>A WEB host behind a server that does one thing wrong at a time, each of which the doctor names.</summary>
public sealed class WebDoorTests : IAsyncLifetime
{
    private const string Client = "198.51.100.9";

    private readonly TestAuthority _authority = new();
    private HostBehindFront _host = null!;
    private X509Certificate2 _certificate = null!;
    private FaultyFront _front = null!;

    public async Task InitializeAsync()
    {
        _host = await HostBehindFront.StartAsync();
        _certificate = _authority.Sign(HostBehindFront.Host);
        _front = FaultyFront.Start(_host.Place, _certificate);
        _front.Rewrite = FaultyFront.With("X-Forwarded-For", _ => Client);
    }

    public async Task DisposeAsync()
    {
        await _front.DisposeAsync();
        await _host.DisposeAsync();
        _certificate.Dispose();
        _authority.Dispose();
    }

    [Fact]
    public async Task A_server_in_front_that_does_it_all_right_is_good_and_nothing_is_left_behind()
    {
        var finding = await OneAsync();

        Assert.True(finding.Diagnosis.Name == "door-good", finding.Text);
        Assert.Contains("could wait 6 s", finding.Text, StringComparison.Ordinal);
        Assert.Equal(0, _host.Test.Metrics.Value("portico_web_sessions"));
        Assert.Equal(2, _host.Test.Metrics.Value("portico_web_ended_total", ("reason", "web_deleted")));
    }

    public static TheoryData<string, string, string> Headers => new()
    {
        { "as the client sent it", "door-claims", "proxy_set_header X-Forwarded-For $remote_addr" },
        { "with the peer behind it", "door-appends", "not `$proxy_add_x_forwarded_for`" },
        { "two addresses", "door-forwarded", "proxy_set_header X-Forwarded-For $remote_addr" },
        { "another host", "door-other", "Host, path and query unchanged" },
        { "no query", "door-other", "Host, path and query unchanged" },
        { "no authorization", "door-forwarded", "leave Authorization as it is" },
        { "no upgrade", "door-no-socket", "pass on Upgrade and Connection" },
    };

    [Theory]
    [MemberData(nameof(Headers))]
    public async Task A_head_that_is_changed_on_the_way_is_named_with_its_cure(string fault, string name, string cure)
    {
        var asItShouldBe = _front.Rewrite;
        _front.Rewrite = fault switch
        {
            "as the client sent it" => lines => lines,
            "with the peer behind it" => FaultyFront.With("X-Forwarded-For", old => old is null ? Client : $"{old}, {Client}"),
            "two addresses" => FaultyFront.With("X-Forwarded-For", _ => $"203.0.113.1, {Client}"),
            "another host" => lines => FaultyFront.With("Host", _ => "127.0.0.1:8080")([.. asItShouldBe(lines)]),
            "no query" => lines => [lines[0].Split('?')[0].Replace(" HTTP/1.1", "", StringComparison.Ordinal) + " HTTP/1.1",
                .. asItShouldBe(lines).Skip(1)],
            "no authorization" => lines => FaultyFront.With("Authorization", _ => null)([.. asItShouldBe(lines)]),
            _ => lines => FaultyFront.With("Upgrade", _ => null)(
                [.. FaultyFront.With("Connection", _ => "close")([.. asItShouldBe(lines)])]),
        };

        var finding = await OneAsync(_host.Without(WebCarrier.Https));

        Assert.True(finding.Diagnosis.Name == name, $"{finding.Diagnosis.Name}: {finding.Text}");
        Assert.Contains(cure, finding.Cure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Requests_that_are_kept_until_they_are_whole_are_noticed()
    {
        _front.Collects = true;

        Assert.Equal("door-collects", (await OneAsync(_host.Without(WebCarrier.Https))).Diagnosis.Name);
    }

    [Fact]
    public async Task Answers_that_are_kept_until_they_are_whole_are_noticed()
    {
        _front.Buffers = true;

        var finding = await OneAsync(_host.Without(WebCarrier.WebSocket));

        Assert.Equal("door-buffers", finding.Diagnosis.Name);
        Assert.Contains("proxy_buffering off", finding.Cure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_time_out_that_is_shorter_than_a_request_waits_is_noticed()
    {
        _front.Patience = TimeSpan.FromSeconds(3);

        var finding = await OneAsync(_host.Without(WebCarrier.WebSocket));

        Assert.Equal("door-cuts", finding.Diagnosis.Name);
        Assert.Matches("ended after 3(\\.[0-9])? s with 504", finding.Text);
        Assert.Contains("proxy_read_timeout 90s", finding.Cure, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("192.0.2.0/24")]
    public async Task A_server_in_front_whom_nobody_trusts_is_named_with_its_address(string trusted)
    {
        if (!OperatingSystem.IsLinux()) return; // nobody tells who is connected

        var finding = await OneAsync(_host.Changed(web => web with
        {
            Carriers = [WebCarrier.WebSocket],
            Trusted = trusted.Length == 0 ? [] : [IPNetwork.Parse(trusted)],
        }));

        Assert.True(finding.Diagnosis.Name == "door-untrusted", finding.Text);
        Assert.Contains("\"127.0.0.1/32\"", finding.Cure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plain_HTTP_for_everybody_is_named_before_anybody_is_asked()
    {
        var settings = _host.Changed(web => web with { Trusted = [] });
        settings = settings with { Listeners = [settings.Listeners[0] with { Address = new IPEndPoint(IPAddress.Any, 8080) }] };

        var findings = await new DoorCheck(settings, holder: null, new PublicDoor(_front.Access), new TcpTable(new MachineFiles()))
            .RunAsync(CancellationToken.None);

        Assert.Equal(["door-open", "door-unseen"], findings.Select(finding => finding.Diagnosis.Name));
    }

    [Fact]
    public async Task A_door_that_is_shut_and_one_behind_which_nobody_speaks_TLS_are_told_apart()
    {
        var shut = new NetworkAccess(IsOffline: false)
        {
            Resolve = (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback]),
            Dial = (_, _) => throw new System.Net.Sockets.SocketException((int)System.Net.Sockets.SocketError.ConnectionRefused),
        };
        Assert.Equal("door-closed", (await OneAsync(access: shut)).Diagnosis.Name);

        var plain = FaultyFront.To(_host.Place);
        Assert.Equal("door-broken", (await OneAsync(access: plain)).Diagnosis.Name);
    }

    [Fact]
    public async Task What_is_found_does_not_hold_the_capability()
    {
        _front.Rewrite = FaultyFront.With("Host", _ => "other.example.org");

        var finding = await OneAsync();

        var capability = Capability.Compute(_host.Settings.Listeners[0].Web!.Address, SecretKind.Secure, _host.Test.Secret);
        Assert.DoesNotContain(capability, finding.Text + finding.Cure, StringComparison.Ordinal);
    }

    private Task<Finding> OneAsync(ProxySettings? settings = null, NetworkAccess? access = null) =>
        HostBehindFront.FindAsync(settings ?? _host.Settings, access ?? _front.Access);
}
