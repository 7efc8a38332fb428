using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Portico.Core.Background;
using Portico.Core.Options;
using Portico.Core.Users;
using Portico.Doctor;
using Portico.Doctor.Checks;
using Portico.IntegrationTests.Commands;
using Portico.Protocol.MiddleProxy;
using Portico.Protocol.Secrets;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Time;
using Xunit;

namespace Portico.IntegrationTests.Doctor;

/// <summary>Checks whose faults no test can bring about on a real machine: their inputs are given.</summary>
public sealed class CheckTests : IDisposable
{
    private static readonly IPAddress Ours = IPAddress.Parse("8.8.4.4"), OursV6 = IPAddress.Parse("2a00:1450::1");

    private readonly TemporaryDirectory _root = new();
    private readonly ManualTime _time = new();

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData(0, "clock-right")]
    [InlineData(29, "clock-right")]
    [InlineData(-32, "clock-off")]
    [InlineData(-119, "clock-off")]
    [InlineData(-121, "clock-behind")]
    [InlineData(599, "clock-off")]
    [InlineData(602, "clock-ahead")]
    public async Task A_clock_is_judged_by_the_edges_of_the_time_window(int ahead, string name)
    {
        var finding = await OneAsync(new ClockCheck(new(), [Source(-ahead)], _time));

        Assert.Equal(name, finding.Diagnosis.Name);
    }

    [Fact]
    public async Task One_source_that_lies_is_outvoted_and_one_that_is_silent_left_out()
    {
        var silent = new TimeSource("silent", _ => Task.FromResult<DateTimeOffset?>(null));

        var finding = await OneAsync(new ClockCheck(new(), [Source(0), Source(86_400), Source(1), silent], _time));
        Assert.Equal("clock-right", finding.Diagnosis.Name);
        Assert.Contains("the median of 3 others", finding.Text, StringComparison.Ordinal);

        finding = await OneAsync(new ClockCheck(new(), [silent], _time));
        Assert.Equal("clock-unknown", finding.Diagnosis.Name);
    }

    [Fact]
    public async Task Without_a_time_window_no_clock_keeps_anybody_out()
    {
        var finding = await OneAsync(new ClockCheck(new() { Enabled = false }, [Source(5000)], _time));

        Assert.Equal("clock-off", finding.Diagnosis.Name);
    }

    [Theory]
    [InlineData("8.8.4.4", "dns-here")]
    [InlineData("8.8.4.4 2a00:1450::1", "dns-here")]
    [InlineData("1.1.1.1", "dns-elsewhere")]
    [InlineData("1.1.1.1 2606:4700::1", "dns-elsewhere")]
    [InlineData("8.8.4.4 2606:4700::1", "dns-mixed")]
    [InlineData("1.1.1.1 2a00:1450::1", "dns-mixed")]
    [InlineData("", "dns-no-address")]
    public async Task A_name_in_links_leads_here_in_both_families_or_somewhere_else(string addresses, string name)
    {
        var settings = Settings(host: "proxy.example.org", domain: null);

        var finding = await OneAsync(new DnsCheck(settings, Own([Ours, OursV6]), Names(addresses)));

        Assert.Equal(name, finding.Diagnosis.Name);
        Assert.Contains("proxy.example.org", finding.Text, StringComparison.Ordinal);
        if (name == "dns-elsewhere")
        {
            Assert.Equal(Verdict.Fail, finding.Verdict);
            Assert.Contains("this machine is 8.8.4.4, 2a00:1450::1", finding.Text, StringComparison.Ordinal);
            Assert.Contains("A and AAAA records", finding.Cure, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Behind_NAT_the_address_that_a_service_sees_is_ours_too()
    {
        var settings = Settings(host: "proxy.example.org", domain: null);
        var nat = IPAddress.Parse("10.0.0.5");

        Assert.Equal("dns-here", (await OneAsync(new DnsCheck(settings, Own([nat], seen: Ours), Names("8.8.4.4")))).Diagnosis.Name);
        Assert.Equal("dns-elsewhere", (await OneAsync(new DnsCheck(settings, Own([nat], seen: Ours), Names("1.1.1.1")))).Diagnosis.Name);
        Assert.Equal("dns-unknown", (await OneAsync(new DnsCheck(settings, Own([nat]), Names("8.8.4.4")))).Diagnosis.Name);
    }

    [Fact]
    public async Task An_AAAA_record_for_a_listener_of_IPv4_leads_nobody_here()
    {
        var settings = Settings(host: "proxy.example.org", domain: null, address: IPAddress.Any);

        var finding = await OneAsync(new DnsCheck(settings, Own([Ours, OursV6]), Names("8.8.4.4 2a00:1450::1")));

        Assert.Equal("dns-unserved", finding.Diagnosis.Name);
    }

    [Fact]
    public async Task A_borrowed_domain_is_a_warning_and_a_balancer_in_front_is_none()
    {
        var finding = await OneAsync(new DnsCheck(Settings(host: "8.8.4.4", domain: "www.example.com"), Own([Ours]), Names("1.1.1.1")));
        Assert.Equal(("dns-borrowed", Verdict.Warn), (finding.Diagnosis.Name, finding.Verdict));

        var balanced = Settings(host: "proxy.example.org", domain: null, trusted: "10.0.0.0/8");
        Assert.Equal("dns-balancer", (await OneAsync(new DnsCheck(balanced, Own([Ours]), Names("1.1.1.1")))).Diagnosis.Name);
    }

    [Theory]
    [InlineData("8.8.4.4", "", "dns-here")]
    [InlineData("1.1.1.1", "", "dns-elsewhere")]
    [InlineData("", "", "dns-no-address")]
    [InlineData("1.1.1.1", "127.0.0.1/32", "dns-elsewhere")]
    [InlineData("1.1.1.1", "10.0.0.0/8", "dns-balancer")]
    public async Task The_host_of_a_WEB_proxy_leads_here_or_to_the_server_that_is_trusted(string addresses, string trusted, string name)
    {
        var finding = await OneAsync(new DnsCheck(WebAlone(trusted), Own([Ours]), Names(addresses)));

        Assert.Equal(name, finding.Diagnosis.Name);
        Assert.Contains("www.example.org", finding.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_listener_of_the_WEB_proxy_alone_has_its_host_in_links_and_its_site_for_strangers()
    {
        var settings = WebAlone("127.0.0.1/32");

        var links = await OneAsync(new LinksCheck(settings, Own([Ours]), _ => IPAddress.Loopback));
        var cover = await OneAsync(CoverCheck.Of(settings, Own([Ours]), Names("8.8.4.4"), _time));

        Assert.Equal(("links-public", "main: links show www.example.org"), (links.Diagnosis.Name, links.Text));
        Assert.Equal("cover-web-host", cover.Diagnosis.Name);
    }

    [Theory]
    [InlineData(0, "memory-too-little", "set maxConnections to 1 and replay.maxMemoryMb to less")]
    [InlineData(200, "memory-too-little", "--memory of the container")]
    [InlineData(900, "memory-little", "MemoryMax= of the service")]
    [InlineData(2000, "memory-enough", "")]
    public async Task Memory_is_the_least_of_the_machine_and_every_group_above_us(int megabytes, string name, string cure)
    {
        Machine("proc/meminfo", "MemFree: 1 kB\nMemTotal:       24683520 kB\n");
        Machine("proc/self/cgroup", "0::/system.slice/portico.service\n");
        Machine("sys/fs/cgroup/system.slice/portico.service/memory.max", "max\n");
        Machine("sys/fs/cgroup/system.slice/memory.max", $"{Math.Max(1, (long)megabytes << 20)}\n");

        var finding = await OneAsync(new MemoryCheck(Settings(), holder: null, new MachineFiles(_root.Path)));

        Assert.Equal(name, finding.Diagnosis.Name);
        Assert.Contains(cure, finding.Cure, StringComparison.Ordinal);
        if (name != "memory-too-little")
            Assert.Contains("/system.slice", finding.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_group_of_the_running_proxy_counts_also_by_version_1()
    {
        Machine("proc/meminfo", "MemTotal:       24683520 kB\n");
        Machine("proc/self/cgroup", "0::/user.slice\n");
        Machine("proc/77/cgroup", "5:cpu:/\n4:memory:/docker/abc\n0::/\n");
        Machine("sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", $"{64 << 20}\n");
        Machine("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");

        var finding = await OneAsync(new MemoryCheck(Settings(), new DataDirectoryHolder(77, []), new MachineFiles(_root.Path)));

        Assert.Equal("memory-too-little", finding.Diagnosis.Name);
        Assert.Contains("64 MB (the limit of /docker/abc)", finding.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_machine_that_tells_nothing_is_not_judged()
    {
        var files = new MachineFiles(_root.Path);

        Assert.Equal("memory-unknown", (await OneAsync(new MemoryCheck(Settings(), null, files))).Diagnosis.Name);
        Assert.Equal("kernel-unknown", (await OneAsync(new KernelCheck(files))).Diagnosis.Name);
    }

    [Theory]
    [InlineData("1024", "descriptors-too-few")]
    [InlineData("65536", "descriptors-few")]
    [InlineData("1048576", "descriptors-enough")]
    [InlineData("unlimited", "descriptors-enough")]
    public async Task The_limit_of_the_running_proxy_counts_and_not_that_of_the_shell(string limit, string name)
    {
        Machine("proc/77/limits", $"Limit         Soft Limit   Hard Limit   Units\nMax open files            {limit}   {limit}   files\n");

        var check = new DescriptorsCheck(Settings(), new DataDirectoryHolder(77, []), new MachineFiles(_root.Path), () => 20);

        Assert.Equal(name, (await OneAsync(check)).Diagnosis.Name);
    }

    [Fact]
    public async Task Each_setting_of_the_kernel_that_is_low_has_its_own_line_of_sysctl()
    {
        Machine("proc/sys/net/core/somaxconn", "128\n");
        Machine("proc/sys/net/ipv4/ip_local_port_range", "50000\t60000\n");
        Machine("proc/sys/net/ipv4/tcp_tw_reuse", "0\n");
        Machine("proc/sys/fs/file-max", "20000\n");
        Machine("proc/sys/net/ipv4/tcp_mem", "1000\t2000\t3000\n");

        var findings = await new KernelCheck(new MachineFiles(_root.Path)).RunAsync(CancellationToken.None);

        Assert.All(findings, finding => Assert.Equal("kernel-low", finding.Diagnosis.Name));
        Assert.Equal(
            ["net.core.somaxconn", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_tw_reuse", "fs.file-max", "net.ipv4.tcp_mem"],
            findings.Select(finding => finding.Cure.Replace("sysctl -w ", "", StringComparison.Ordinal).Split('=')[0]));
    }

    [Fact]
    public async Task Links_of_a_machine_behind_NAT_are_printed_again_by_a_start()
    {
        var check = new LinksCheck(
            Settings(host: null), Own([IPAddress.Parse("10.0.0.5")], seen: Ours), _ => IPAddress.Parse("10.0.0.5"));

        var finding = await OneAsync(check);

        Assert.Equal("links-found", finding.Diagnosis.Name);
        Assert.Contains("\"publicHost\": \"8.8.4.4\"", finding.Cure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_connections_from_one_private_address_look_like_a_balancer_that_sends_no_header()
    {
        // 172.17.0.1:40000+ at 172.17.0.2:443, as /proc/net/tcp6 of a container has it
        var lines = Enumerable.Range(0, 25).Select(i =>
            $"  {i}: 0000000000000000FFFF0000020011AC:01BB 0000000000000000FFFF0000010011AC:{40000 + i:X4} 01 0:0 0:0 0 0 0 {i}");
        Machine("proc/net/tcp6", "  sl  local_address remote_address st\n" + string.Join('\n', lines));
        var holder = new DataDirectoryHolder(77, [new IPEndPoint(IPAddress.IPv6Any, 443)]);

        var finding = await OneAsync(new ProxyHeaderCheck(Settings(port: 443), holder, new TcpTable(new MachineFiles(_root.Path))));

        Assert.Equal("proxy-header-wanted", finding.Diagnosis.Name);
        Assert.Contains("25 of 25 connections come from 172.17.0.1", finding.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(BackendMode.Direct, false, "", "media-direct")]
    [InlineData(BackendMode.Direct, true, "", "media-through")]
    [InlineData(BackendMode.Direct, false, "alice", "media-direct")] // a tag that the mode does not look at
    [InlineData(BackendMode.Middle, false, "", "media-through")]
    [InlineData(BackendMode.Auto, false, "", "media-direct")]
    [InlineData(BackendMode.Auto, false, "alice", "media-direct")] // bob's still go directly
    [InlineData(BackendMode.Auto, false, "alice bob", "media-through")]
    [InlineData(BackendMode.Auto, true, "alice", "media-through")]
    public async Task Photos_that_go_to_data_centres_of_anybody_are_named_with_the_switch(
        BackendMode mode, bool media, string tagged, string name)
    {
        var settings = Settings();
        settings = settings with
        {
            Mode = mode,
            MediaGoesThroughMiddleProxy = media,
            Listeners = [settings.Listeners[0] with { Credentials = [User("alice"), User("bob")] }],
        };

        var finding = await OneAsync(new MediaCheck(settings));

        Assert.Equal((name, Verdict.Ok), (finding.Diagnosis.Name, finding.Verdict));
        Assert.Equal(name == "media-direct", finding.Cure.Contains("backend.media \"middle\"", StringComparison.Ordinal));

        Credential User(string user) => new(user, ProxySecret.Create(new byte[ProxySecret.Length]))
        {
            AdTag = tagged.Split(' ').Contains(user) ? AdTag.Create(new byte[AdTag.Length]) : null,
        };
    }

    [Fact]
    public async Task A_full_disk_is_a_warning()
    {
        var settings = Settings() with { DataDirectory = _root.Path };

        var findings = await new DataDirectoryCheck(settings, holder: null, _ => 100 << 20).RunAsync(CancellationToken.None);

        Assert.Equal(["data-ready", "data-full"], findings.Select(finding => finding.Diagnosis.Name));
        Assert.Contains("100 MB are free", findings[1].Text, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_root.Path)); // no trace of the attempt
    }

    [Fact]
    public async Task A_data_directory_of_a_newer_version_is_found_before_a_start_is_refused()
    {
        File.WriteAllText(Path.Combine(_root.Path, "version"), "2\n");

        var finding = await OneAsync(new DataDirectoryCheck(Settings() with { DataDirectory = _root.Path }, holder: null, _ => null));

        Assert.Equal("data-version", finding.Diagnosis.Name);
        Assert.Contains("is of version 2", finding.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_machine_without_IPv6_needs_none_and_a_dead_IPv6_is_a_warning()
    {
        await using var telegram = Portico.TestKit.Telegram.FakeTelegram.Start();
        var v6 = new IPEndPoint(OursV6, 443);
        int[] dcs = [1, 2, 3, 4, 5, 203];
        var settings = Settings() with
        {
            Direct = new() { Endpoints = dcs.ToImmutableDictionary(dc => dc, _ => ImmutableArray.Create(telegram.Endpoint, v6)) },
        };

        var none = await new DcCheck(settings, Dialling(v6, SocketError.NetworkUnreachable)).RunAsync(CancellationToken.None);
        Assert.Equal(["dc-answers", "dc-no-family"], none.Select(finding => finding.Diagnosis.Name));

        var dead = await new DcCheck(settings, Dialling(v6, SocketError.ConnectionRefused)).RunAsync(CancellationToken.None);
        Assert.Equal(["dc-answers", "dc-family-dead"], dead.Select(finding => finding.Diagnosis.Name));
    }

    private static NetworkAccess Dialling(IPEndPoint dead, SocketError error)
    {
        var real = new NetworkAccess(IsOffline: false);
        return real with
        {
            Dial = (endpoint, stop) => endpoint.Equals(dead) ? throw new SocketException((int)error) : real.Dial(endpoint, stop),
        };
    }

    private static ProxySettings WebAlone(string trusted)
    {
        Assert.True(WebAddress.TryCreate("www.example.org", "", out var address, out _));
        return WebCertificateTests.Settings(new WebSettings
        {
            Address = address,
            Carriers = [WebCarrier.Https],
            Trusted = trusted.Length == 0 ? [] : [IPNetwork.Parse(trusted)],
        });
    }

    private static async Task<Finding> OneAsync(ICheck check) => Assert.Single(await check.RunAsync(CancellationToken.None));

    private TimeSource Source(int ahead) => new("source", _ => Task.FromResult<DateTimeOffset?>(_time.GetUtcNow().AddSeconds(ahead)));

    private void Machine(string path, string text)
    {
        var file = _root.File(path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }

    private static OwnAddresses Own(IPAddress[] local, IPAddress? seen = null) =>
        new(new MiddleProxySettings(), () => local, _ => Task.FromResult((seen, seen is null ? "nobody is to be asked" : "")));

    private static NetworkAccess Names(string addresses) => new(IsOffline: false)
    {
        Resolve = (_, _) => Task.FromResult<IPAddress[]>(
            [.. addresses.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(IPAddress.Parse)]),
    };

    private static ProxySettings Settings(
        string? host = "8.8.4.4", string? domain = "www.example.com", int port = 443, string? trusted = null,
        IPAddress? address = null) => new()
        {
            Listeners =
            [
                new ListenerSettings
                {
                    Name = "main",
                    Address = new IPEndPoint(address ?? IPAddress.IPv6Any, port),
                    Credentials = [new Credential("default", ProxySecret.Create(new byte[ProxySecret.Length]))],
                    PublicHost = host,
                    Domain = domain,
                    TrustedBalancers = trusted is null ? [] : [IPNetwork.Parse(trusted)],
                },
            ],
            Direct = new(),
            TimeWindow = new(),
            Timeouts = new(),
        };
}
