using System.Net;
using System.Net.Sockets;
using Portico.IntegrationTests.Commands;
using Portico.TestKit.Covers;
using Portico.TestKit.Telegram;
using Xunit;

namespace Portico.IntegrationTests.Doctor;

/// <summary>`portico doctor` as it is typed: a healthy set-up, and one fault at a time, each named with its cure.</summary>
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
public sealed class DoctorCommandTests : IAsyncLifetime
{
    private Patient _patient = null!;

    public Task InitializeAsync()
    {
        _patient = Patient.Healthy();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await _patient.DisposeAsync();

    [Fact]
    public async Task A_healthy_set_up_has_no_failure()
    {
        var (code, findings) = await _patient.AskAsync();

        Assert.Equal([], findings.SelectMany(named => named).Where(it => it.Verdict is "warn" or "fail"));
        Assert.Equal(0, code);
        string[] expected = ["clock-right", "port-free", "links-public", "dc-answers", "external-right", "cover-good", "data-ready"];
        Assert.Equal([], expected.Where(name => !findings.Contains(name)));
        Assert.Equal("IPv4: 6 of 6 data centres answer", findings["dc-answers"].Single().Text);
        Assert.False(Directory.Exists(Path.Combine(_patient.Folder, "data"))); // it looks and changes nothing
    }

    [Fact]
    public async Task Away_from_a_terminal_each_finding_is_one_line_with_its_cure_and_a_sum_ends_the_table()
    {
        _patient.Outside.Set(FakeConfigSite.SecretPath, SiteReply.Text("") with { Date = TimeProvider.System.GetUtcNow().AddMinutes(10) });

        var (code, output, errors) = await _patient.AskAsync([]);

        var lines = output.TrimEnd('\n').Split('\n');
        Assert.Equal((1, ""), (code, errors));
        Assert.All(lines[..^1], line => Assert.Matches("^(ok|skip|warn|fail) +[a-z]+ +[^ ]", line));
        Assert.Contains(lines, line => line.StartsWith("fail  clock     ", StringComparison.Ordinal)
            && line.Contains(" -> set the clock: `timedatectl set-ntp true`", StringComparison.Ordinal));
        Assert.Matches("^[0-9]+ ok, 0 warn, 1 fail$", lines[^1]);
        Assert.DoesNotContain('\e', output);
    }

    [Fact]
    public async Task A_wrong_configuration_is_exit_code_2_before_anybody_is_asked()
    {
        _patient.MaxConnections = -1;

        var (code, output, errors) = await _patient.AskAsync([]);

        Assert.Equal((2, ""), (code, output));
        Assert.Contains("listeners[0].maxConnections", errors, StringComparison.Ordinal);
        Assert.Empty(_patient.Telegram.Connections);
    }

    [Theory]
    [InlineData(10, "clock-behind", "601? s behind|600 s behind|59. s behind", "from the future")]
    [InlineData(-11, "clock-ahead", "6[56]. s ahead", "too old")]
    public async Task A_clock_beyond_the_window_is_a_failure(int minutes, string name, string shown, string meaning)
    {
        _patient.Outside.Set(
            FakeConfigSite.SecretPath, SiteReply.Text("") with { Date = TimeProvider.System.GetUtcNow().AddMinutes(minutes) });

        var (text, cure) = await _patient.OneFailureAsync(name);

        Assert.Matches(shown, text);
        Assert.Contains(meaning, text, StringComparison.Ordinal);
        Assert.Contains("timedatectl set-ntp true", cure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_that_another_program_has_is_a_failure_that_names_the_program()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        _patient.Port = ((IPEndPoint)other.LocalEndpoint).Port;

        var (text, cure) = await _patient.OneFailureAsync("port-taken");

        if (OperatingSystem.IsLinux())
            Assert.Contains($"(process {Environment.ProcessId})", text, StringComparison.Ordinal);
        Assert.Contains("stop that program", cure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_and_a_directory_of_a_running_Portico_are_as_they_should_be()
    {
        await using var proxy = await _patient.RunAsync();

        var (code, findings) = await _patient.AskAsync();

        Assert.Equal(0, code);
        Assert.Contains($"process {proxy.Id}", findings["port-ours"].Single().Text, StringComparison.Ordinal);
        Assert.Contains($"process {proxy.Id}", findings["data-in-use"].Single().Text, StringComparison.Ordinal);
        Assert.Contains("the running proxy may open", findings["descriptors-enough"].Single().Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cover_that_is_down_is_a_failure()
    {
        await _patient.Site.StopListeningAsync();

        var (text, cure) = await _patient.OneFailureAsync("cover-down");

        Assert.Contains($"{_patient.Site.Endpoint} cannot be connected to", text, StringComparison.Ordinal);
        Assert.Contains("start the site", cure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cover_without_TLS_1_3_is_a_failure()
    {
        _patient.Site.Script = Patient.Honest with { Fault = SiteFault.OldVersion };

        var (text, cure) = await _patient.OneFailureAsync("cover-old-tls");

        Assert.Contains("does not speak TLS 1.3", text, StringComparison.Ordinal);
        Assert.Contains("ssl_protocols TLSv1.2 TLSv1.3", cure, StringComparison.Ordinal);
    }

    [ToolFact(OpensslCover.Program)]
    public async Task So_is_a_real_server_of_TLS_1_2()
    {
        await using var cover = await OpensslCover.StartAsync("-tls1_2");
        _patient.Cover = $"{cover.Endpoint}";

        await _patient.OneFailureAsync("cover-old-tls");
    }

    [Theory]
    [InlineData(SiteFault.Alert, "cover-refuses-name")]
    [InlineData(SiteFault.Garbage, "cover-no-tls")]
    [InlineData(SiteFault.ClosesAtOnce, "cover-closes")]
    [InlineData(SiteFault.RetryRequest, "cover-other-group")]
    public async Task Other_covers_that_do_not_answer_as_ours_does_have_names_of_their_own(SiteFault fault, string name)
    {
        _patient.Site.Script = Patient.Honest with { Fault = fault };

        await _patient.OneFailureAsync(name);
    }

    [Fact]
    public async Task What_an_observer_could_tell_apart_is_a_warning()
    {
        _patient.Site.Script = Patient.Honest with { AnswersPostQuantum = true, HasOtherExtension = true, Records = _ => [16000, 4000] };

        var (code, findings) = await _patient.AskAsync();

        Assert.Equal(0, code);
        string[] expected = ["cover-post-quantum", "cover-other-extensions", "cover-too-large"];
        Assert.All(expected, name => Assert.Equal("warn", findings[name].Single().Verdict));
    }

    [Fact]
    public async Task A_cover_that_is_our_own_listener_by_name_is_a_failure()
    {
        await using var proxy = await _patient.RunAsync();
        var (_, findings) = await _patient.AskAsync();
        var port = findings["port-ours"].Single().Text.Split(':')[1];
        _patient.Port = int.Parse(port, System.Globalization.CultureInfo.InvariantCulture);
        _patient.Cover = $"localhost:{port}";

        var (text, cure) = await _patient.OneFailureAsync("cover-loop");

        Assert.Contains($"localhost:{port} is a listener of this proxy itself", text, StringComparison.Ordinal);
        Assert.Contains("name the web site behind it", cure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Too_few_descriptors_are_a_failure_with_the_number_that_is_needed()
    {
        _patient.MaxConnections = 64000;
        _patient.Before = ["bash", "-c", "ulimit -n 1024 && exec \"$@\"", "bash"];

        var (text, cure) = await _patient.OneFailureAsync("descriptors-too-few");

        Assert.Contains("may open 1024 files, enough for some 384 sessions; maxConnections allows 64000", text, StringComparison.Ordinal);
        Assert.Contains("LimitNOFILE=128712", cure, StringComparison.Ordinal); // two for each of 64000 and 100, and 512
    }

    [Fact]
    public async Task A_data_centre_that_refuses_is_a_failure_with_its_number()
    {
        await using var refusing = FakeTelegram.Start(DcBehaviour.Good with { Refuses = true });
        _patient.DataCentres[3] = refusing.Endpoint;

        var (text, cure) = await _patient.OneFailureAsync("dc-refused");

        Assert.Contains("data centre 3: refused", text, StringComparison.Ordinal);
        Assert.Contains("a firewall refuses it", cure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_data_centre_that_is_silent_is_a_failure_with_its_number()
    {
        await using var silent = await UnansweredEndpoint.StartAsync();
        _patient.DataCentres[5] = silent.Endpoint;
        _patient.DeadlineSeconds = 5;

        var (code, findings) = await _patient.AskAsync();

        Assert.Equal(1, code);
        var (_, text, cure) = findings["dc-silent"].Single(finding => finding.Text.StartsWith("data centre 5:", StringComparison.Ordinal));
        Assert.Contains("data centre 5: silent", text, StringComparison.Ordinal);
        Assert.Contains("something on the way drops it", cure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_takes_the_connection_and_hangs_up_is_no_data_centre()
    {
        await using var other = FakeTelegram.Start(DcBehaviour.Good with { FinishesAfter = 64 });
        _patient.DataCentres[4] = other.Endpoint;

        var (text, _) = await _patient.OneFailureAsync("dc-wrong");

        Assert.Contains("data centre 4: not Telegram's answer", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_data_centre_at_all_is_one_failure_and_not_six()
    {
        await using var refusing = FakeTelegram.Start(DcBehaviour.Good with { Refuses = true });
        foreach (var dc in _patient.DataCentres.Keys) _patient.DataCentres[dc] = refusing.Endpoint;

        var (text, cure) = await _patient.OneFailureAsync("dc-none");

        Assert.Contains("6 refused", text, StringComparison.Ordinal);
        Assert.Contains("provider blocks Telegram", cure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_ad_tag_in_direct_mode_is_a_failure()
    {
        _patient.Listener += """, "adTag": "00112233445566778899aabbccddeeff" """;

        var (text, cure) = await _patient.OneFailureAsync("adtag-idle");

        Assert.Contains("1 user has one, and backend.mode is direct", text, StringComparison.Ordinal);
        Assert.Contains("backend.mode to \"auto\"", cure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_external_address_is_a_failure_with_the_right_one()
    {
        _patient.ExternalIp = "8.8.8.8";

        var (text, cure) = await _patient.OneFailureAsync("external-wrong");

        Assert.Contains("backend.middle.externalIp is 8.8.8.8", text, StringComparison.Ordinal);
        Assert.Contains("to \"8.8.4.4\"", cure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Links_with_a_private_address_are_a_failure_with_a_better_one()
    {
        _patient.Listener = """, "publicHost": "192.168.1.7" """;

        var (text, cure) = await _patient.OneFailureAsync("links-private");

        Assert.Contains("links show 192.168.1.7", text, StringComparison.Ordinal);
        Assert.Contains("for example \"8.8.4.4\"", cure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_data_directory_that_cannot_be_made_is_a_failure()
    {
        _patient.DataDirectory = "portico.json/data"; // below a file, where even root cannot

        var (text, cure) = await _patient.OneFailureAsync("data-unwritable");

        Assert.Contains("portico.json is a file", text, StringComparison.Ordinal);
        Assert.Contains("set dataDirectory", cure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Clients_from_elsewhere_where_a_balancer_is_expected_are_a_failure()
    {
        _patient.Listener += """, "proxyProtocol": { "trusted": ["10.11.12.0/24"] } """;
        await using var proxy = await _patient.RunAsync();
        var (code, findings) = await _patient.AskAsync();
        Assert.Equal((0, 1), (code, findings["proxy-header-unseen"].Count()));
        var port = int.Parse(findings["port-ours"].Single().Text.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture);

        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port);
        var (text, cure) = await _patient.OneFailureAsync("proxy-header-none");

        Assert.Contains("expected from 10.11.12.0/24, and nobody comes from there; ", text, StringComparison.Ordinal);
        Assert.Contains("from 127.0.0.1", text, StringComparison.Ordinal);
        Assert.Contains("listeners[0].proxyProtocol.trusted", cure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Middle_proxies_are_asked_where_clients_go_through_them()
    {
        await using var good = FakeTelegram.Start();
        await using var refusing = FakeTelegram.Start(DcBehaviour.Good with { Refuses = true });
        _patient.Mode = "middle";
        _patient.Outside.Publish(new(2, [(1, good.Endpoint), (2, refusing.Endpoint)]));

        var (text, cure) = await _patient.OneFailureAsync("middle-refused");

        Assert.Contains($"data centre 2: its middle proxies {refusing.Endpoint} refuse", text, StringComparison.Ordinal);
        Assert.Contains("8888", cure, StringComparison.Ordinal);
    }
}
