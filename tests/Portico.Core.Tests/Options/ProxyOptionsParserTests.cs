using System.Net;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Protocol.Secrets;
using Xunit;

namespace Portico.Core.Tests.Options;

public class ProxyOptionsParserTests
{
    private const string Secret = "a1b2c3d4e5f60718293a4b5c6d7e8f90";
    private const string OtherSecret = "b1b2c3d4e5f60718293a4b5c6d7e8f91";
    private const string Tag = "c1b2c3d4e5f60718293a4b5c6d7e8f92", OtherTag = "d1b2c3d4e5f60718293a4b5c6d7e8f93";

    public static TheoryData<string, string, Action<ProxyOptions>> Mistakes => new()
    {
        { "listeners", "at least one", o => o.Listeners = [] },
        { "listeners[0].name", "letters", o => o.Listeners[0].Name = "two words" },
        { "listeners[0].name", "letters", o => o.Listeners[0].Name = "" },
        { "listeners[0].address", "not an IP address", o => o.Listeners[0].Address = "localhost" },
        { "listeners[0].address", "not an IP address", o => o.Listeners[0].Address = "1" },
        { "listeners[0].port", "outside 0..65535", o => o.Listeners[0].Port = 65536 },
        { "listeners[0].port", "outside 0..65535", o => o.Listeners[0].Port = -1 },
        { "listeners[0].secret", "is missing", o => o.Listeners[0].Secret = null },
        { "listeners[0].secret", "31 characters", o => o.Listeners[0].Secret = Secret[1..] },
        { "listeners[0].secret", "white space around it", o => o.Listeners[0].Secret = Secret + " " },
        { "listeners[0].secret", "white space around it", o => o.Listeners[0].Secret = "\t" + Secret },
        { "listeners[0].secret", "is written in base64", o => o.Listeners[0].Secret = "eeD7-_CDEFGHIJKLMNOPQQ" },
        { "listeners[0].secret", "of a link, in base64", o => o.Listeners[0].Secret = "7mwPwRXygwfjUQBB__yu87xncHRydS5wcm8" },
        { "listeners[0].secret", "no hexadecimal digit", o => o.Listeners[0].Secret = "x" + Secret[1..] },
        { "listeners[0].secret", "follow \"ee\"", o => o.Listeners[0].Secret = "ee" + Secret + "6578616d706c65" },
        { "listeners[0].secret", "follow \"dd\"", o => o.Listeners[0].Secret = "dd" + Secret },
        { "listeners[0].users[0].name", "is missing", o => o.Listeners[0].Users = [new() { Secret = OtherSecret }] },
        {
            "listeners[0].users[0].name", "names another user",
            o => o.Listeners[0].Users = [new() { Name = "default", Secret = OtherSecret }]
        },
        { "listeners[0].users[0].secret", "is missing", o => o.Listeners[0].Users = [new() { Name = "alice" }] },
        {
            "listeners[0].users[0].secret", "same as listeners[0].secret",
            o => o.Listeners[0].Users = [new() { Name = "alice", Secret = Secret.ToUpperInvariant() }]
        },
        {
            "listeners[0].users", "enabled",
            o => (o.Listeners[0].Secret, o.Listeners[0].Users) = (null, [new() { Name = "alice", Secret = Secret, Enabled = false }])
        },
        { "listeners[0].protocols", "at least one", o => o.Listeners[0].Protocols = [] },
        { "listeners[0].protocols[1]", "not one of", o => o.Listeners[0].Protocols = ["fake-tls", "tls"] },
        { "listeners[0].domain", "need a host name", o => o.Listeners[0].Domain = null },
        { "listeners[0].domain", "2 characters", o => o.Listeners[0].Domain = "ab" },
        {
            "listeners[0].domain", "183 characters",
            o => o.Listeners[0].Domain = string.Concat(Enumerable.Repeat("abcdefg.", 22)) + "abcdefg"
        },
        { "listeners[0].domain", "ASCII form", o => o.Listeners[0].Domain = "bücher.example" },
        { "listeners[0].domain", "is an address", o => o.Listeners[0].Domain = "192.0.2.1" },
        { "listeners[0].domain", "not a host name", o => o.Listeners[0].Domain = "https://www.example.com" },
        { "listeners[0].domain", "not a host name", o => o.Listeners[0].Domain = "www..example.com" },
        { "listeners[0].publicHost", "nothing that a client could connect to", o => o.Listeners[0].PublicHost = "0.0.0.0" },
        { "listeners[0].publicHost", "without brackets", o => o.Listeners[0].PublicHost = "[2001:db8::1]" },
        { "listeners[0].publicHost", "publicPort", o => o.Listeners[0].PublicHost = "proxy.example.org:443" },
        { "listeners[0].publicHost", "neither a host name", o => o.Listeners[0].PublicHost = "a b" },
        { "listeners[0].publicPort", "outside 1..65535", o => o.Listeners[0].PublicPort = 0 },
        { "listeners[0].maxConnections", "outside 1..", o => o.Listeners[0].MaxConnections = 0 },
        {
            "listeners[1].port", "taken by listeners[0]",
            o => o.Listeners = [o.Listeners[0], Listener("two", OtherSecret, "127.0.0.1", 8443)]
        },
        { "listeners[1].name", "name of listeners[0]", o => o.Listeners = [o.Listeners[0], Listener("main", OtherSecret, "::", 8444)] },
        { "listeners[0].adTag", "@MTProxybot", o => o.Listeners[0].AdTag = Tag[1..] },
        { "listeners[0].adTag", "@MTProxybot", o => o.Listeners[0].AdTag = "x" + Tag[1..] },
        {
            "listeners[0].users[0].domain", "is an address",
            o => o.Listeners[0].Users = [new() { Name = "alice", Secret = OtherSecret, Domain = "192.0.2.1" }]
        },
        {
            "listeners[0].users[0].adTag", "@MTProxybot",
            o => o.Listeners[0].Users = [new() { Name = "alice", Secret = OtherSecret, AdTag = "" }]
        },
        { "backend.mode", "not one of", o => o.Backend.Mode = "fast" },
        { "backend.direct.endpoints.x", "id of a data centre", o => o.Backend.Direct.Endpoints["x"] = ["127.0.0.1:443"] },
        { "backend.direct.endpoints.0", "id of a data centre", o => o.Backend.Direct.Endpoints["0"] = ["127.0.0.1:443"] },
        { "backend.direct.endpoints.02", "id of a data centre", o => o.Backend.Direct.Endpoints["02"] = ["127.0.0.1:443"] },
        { "backend.direct.endpoints.32768", "id of a data centre", o => o.Backend.Direct.Endpoints["32768"] = ["127.0.0.1:443"] },
        { "backend.direct.endpoints.3", "at least one address", o => o.Backend.Direct.Endpoints["3"] = [] },
        { "backend.direct.endpoints.3[0]", "address with a port", o => o.Backend.Direct.Endpoints["3"] = ["127.0.0.1"] },
        {
            "backend.direct.endpoints.3[1]", "address with a port",
            o => o.Backend.Direct.Endpoints["3"] = ["127.0.0.1:443", "dc.example:443"]
        },
        { "backend.direct.defaultDc", "no known data centre", o => o.Backend.Direct.DefaultDc = 77 },
        { "backend.direct.defaultDc", "outside -32768..32767", o => o.Backend.Direct.DefaultDc = 40000 },
        { "backend.middle.secretUrl", "https://", o => o.Backend.Middle.SecretUrl = "ftp://core.telegram.org/getProxySecret" },
        { "backend.middle.configUrl", "https://", o => o.Backend.Middle.ConfigUrl = "core.telegram.org/getProxyConfig" },
        { "backend.middle.configV6Url", "password", o => o.Backend.Middle.ConfigV6Url = "https://me:pass@core.telegram.org/" },
        {
            "backend.middle.ipLookupServices[1]", "https://",
            o => o.Backend.Middle.IpLookupServices = ["https://v4.ident.me/", "file:///etc/hostname"]
        },
        { "backend.middle.refreshSeconds", "outside 60..", o => o.Backend.Middle.RefreshSeconds = 59 },
        { "backend.middle.httpTimeoutMs", "outside 100..60000", o => o.Backend.Middle.HttpTimeoutMs = 60001 },
        { "backend.middle.externalIp", "not an IP address", o => o.Backend.Middle.ExternalIp = "proxy.example.org" },
        { "backend.middle.externalIp", "not an IP address", o => o.Backend.Middle.ExternalIp = "1.2" },
        { "backend.middle.externalIp", "not an IP address", o => o.Backend.Middle.ExternalIp = "8.8.4.4," },
        { "backend.middle.externalIp", "two addresses of the same family", o => o.Backend.Middle.ExternalIp = "8.8.4.4,8.8.8.8" },
        { "backend.middle.initialConnections", "outside 0..", o => o.Backend.Middle.InitialConnections = -1 },
        { "backend.middle.clientsPerConnection", "outside 1..", o => o.Backend.Middle.ClientsPerConnection = 0 },
        { "backend.middle.backpressure.bytesTotal", "outside 1025..", o => o.Backend.Middle.Backpressure.BytesTotal = 1024 },
        { "backend.middle.backpressure.packetsTotal", "outside 11..", o => o.Backend.Middle.Backpressure.PacketsTotal = 10 },
        { "backend.middle.backpressure.bytesPerClient", "outside 1024..", o => o.Backend.Middle.Backpressure.BytesPerClient = 1023 },
        { "backend.middle.backpressure.packetsPerClient", "outside 1..", o => o.Backend.Middle.Backpressure.PacketsPerClient = 0 },
        { "cover.mode", "not one of", o => o.Cover.Mode = "on" },
        { "cover.target", "needs the site", o => o.Cover.Mode = "fixed" },
        { "cover.target", "names no port", o => Cover(o, "www.example.com") },
        { "cover.target", "names no port", o => Cover(o, "[2001:db8::1]") },
        { "cover.target", "without brackets and port", o => Cover(o, "2001:db8::1") },
        { "cover.target", "not a port", o => Cover(o, "www.example.com:https") },
        { "cover.target", "not a port", o => Cover(o, "www.example.com:0") },
        { "cover.target", "not a port", o => Cover(o, "www.example.com:65536") },
        { "cover.target", "address of a page", o => Cover(o, "https://www.example.com:443") },
        { "cover.target", "neither a host name", o => Cover(o, "two words:443") },
        { "cover.target", "neither a host name", o => Cover(o, ":443") },
        { "cover.target", "not an IP address", o => Cover(o, "1.2:443") },
        { "cover.target", "not an IPv6 address", o => Cover(o, "[www.example.com]:443") },
        { "cover.target", "where servers listen", o => Cover(o, "0.0.0.0:443") },
        { "cover.target", "absolute path", o => Cover(o, "unix:run/site.sock") },
        { "cover.target", "108 bytes", o => Cover(o, "unix:/" + new string('x', 107)) },
        { "cover.target", "null character", o => Cover(o, "unix:/a\0b") },
        { "cover.target", "listeners[0] itself", o => Cover(o, "127.0.0.1:8443") },
        { "cover.target", "listeners[0] itself", o => Cover(o, "[::1]:8443") },
        { "cover.malformedHello", "not one of", o => o.Cover.MalformedHello = "close" },
        { "cover.policyRefused", "not one of", o => o.Cover.PolicyRefused = "alert" },
        { "cover.decideMs", "outside 10..60000", o => o.Cover.DecideMs = 9 },
        { "cover.maxConnections", "outside 1..", o => o.Cover.MaxConnections = 0 },
        { "cover.learnSeconds", "outside 60..", o => o.Cover.LearnSeconds = 59 },
        { "cover.connectTimeoutSeconds", "outside 1..120", o => o.Cover.ConnectTimeoutSeconds = 0 },
        { "cover.proxyProtocol", "outside 0..2", o => o.Cover.ProxyProtocol = 3 },
        { "health.clientQueuePackets", "outside 1..", o => o.Health.ClientQueuePackets = 0 },
        { "health.clientQueueBytes", "outside 65536..", o => o.Health.ClientQueueBytes = 65535 },
        { "replay.serverErrorFilter", "not one of", o => o.Replay.ServerErrorFilter = "always" },
        { "fakeTls.timeWindow.pastSeconds", "outside 0..", o => o.FakeTls.TimeWindow.PastSeconds = -1 },
        { "fakeTls.timeWindow.futureSeconds", "outside 0..", o => o.FakeTls.TimeWindow.FutureSeconds = 604801 },
        { "timeouts.handshakeSeconds", "outside 1..300", o => o.Timeouts.HandshakeSeconds = 0 },
        { "timeouts.idleSeconds", "outside 1..86400", o => o.Timeouts.IdleSeconds = 86401 },
        { "timeouts.clientWriteSeconds", "outside 1..3600", o => o.Timeouts.ClientWriteSeconds = 0 },
        { "timeouts.drainSeconds", "outside 0..3600", o => o.Timeouts.DrainSeconds = -1 },
        { "dataDirectory", "path of a directory", o => o.DataDirectory = " " },
        { "engine", "not one of", o => o.Engine = "io_uring" },
        { "loops", "outside 0..1024", o => o.Loops = -1 },
        { "localAddresses[1]", "not an address", o => o.LocalAddresses = ["192.0.2.7", "192.0.2"] },
        { "localAddresses[0]", "not an address", o => o.LocalAddresses = ["0.0.0.0"] },
        { "localAddresses[1]", "twice", o => o.LocalAddresses = ["2001:db8::7", "2001:db8:0::7"] },
        { "listeners[0].proxyProtocol.trusted[0]", "not a network", o => o.Listeners[0].ProxyProtocol.Trusted = ["10.0.0/8"] },
        { "listeners[0].proxyProtocol.trusted[1]", "from 0 to 32", o => o.Listeners[0].ProxyProtocol.Trusted = ["::1", "10.0.0.0/33"] },
        { "listeners[0].proxyProtocol.trusted[0]", "from 0 to 128", o => o.Listeners[0].ProxyProtocol.Trusted = ["::/129"] },
        { "listeners[0].proxyProtocol.trusted[0]", "from 0 to 32", o => o.Listeners[0].ProxyProtocol.Trusted = ["10.0.0.0/-1"] },
        { "listeners[0].proxyProtocol.trusted[0]", "not a network", o => o.Listeners[0].ProxyProtocol.Trusted = ["balancer"] },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_mistake_is_named_by_its_key_alone(string key, string says, Action<ProxyOptions> make)
    {
        var options = Valid();
        make(options);

        var parsed = ProxyOptionsParser.Parse(options, ".");

        Assert.Null(parsed.Settings);
        var error = Assert.Single(parsed.Errors);
        Assert.Equal(key, error.Key);
        Assert.Contains(says, error.Problem, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, error.ToString(), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(OtherSecret, error.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void All_mistakes_are_reported_at_once()
    {
        var options = Valid();
        options.Listeners[0].Secret = "short";
        options.Listeners[0].Domain = null;
        options.Timeouts.IdleSeconds = 0;
        options.Engine = "?";

        var parsed = ProxyOptionsParser.Parse(options, ".");

        Assert.Equal(
            ["engine", "listeners[0].domain", "listeners[0].secret", "timeouts.idleSeconds"],
            parsed.Errors.Select(error => error.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_secret_pasted_into_another_key_does_not_come_back_in_the_error()
    {
        var options = Valid();
        options.Listeners[0].Name = $"my secret {Secret}";
        options.Listeners[0].Domain = $"ee{Secret}/www.example.com";
        options.Listeners[0].PublicHost = $"tg://proxy?secret=7mwPwRXygwfjUQBB__yu87xncHRydS5wcm8";
        options.Backend.Direct.Endpoints[Secret] = [Secret];

        var parsed = ProxyOptionsParser.Parse(options, ".");

        Assert.Equal(5, parsed.Errors.Length);
        Assert.All(parsed.Errors, error => Assert.DoesNotContain(Secret, error.ToString(), StringComparison.Ordinal));
        Assert.All(parsed.Errors, error => Assert.DoesNotContain("7mwPw", error.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public void A_valid_configuration_keeps_everything_it_says()
    {
        var options = Valid();
        options.Listeners[0].Users =
            [new() { Name = "alice", Secret = OtherSecret }, new() { Name = "bob", Secret = new string('c', 32), Enabled = false }];
        options.Listeners[0].Protocols = ["secure", "classic", "fake-tls"];
        options.Listeners[0].PublicHost = "proxy.example.org";
        options.Listeners[0].PublicPort = 443;
        options.Listeners[0].MaxConnections = 5;
        options.Backend.PreferIPv6 = true;
        options.Backend.Direct.Endpoints["-2"] = ["127.0.0.1:4430", "[::1]:4431"];
        options.Backend.Direct.DefaultDc = -2;
        options.Backend.Direct.PassThrough = false;
        options.FakeTls.TimeWindow = new() { Enabled = false, PastSeconds = 1, FutureSeconds = 2 };
        options.Timeouts = new() { HandshakeSeconds = 3, IdleSeconds = 4, ClientWriteSeconds = 5, DrainSeconds = 6 };
        options.DataDirectory = "kept/here";
        options.Engine = "epoll";
        options.Loops = 3;

        var parsed = ProxyOptionsParser.Parse(options, "/etc/portico");

        Assert.Empty(parsed.Errors);
        var settings = parsed.Settings!;
        var listener = Assert.Single(settings.Listeners);
        Assert.Equal("main", listener.Name);
        Assert.Equal(new IPEndPoint(IPAddress.IPv6Any, 8443), listener.Address);
        Assert.Equal(["default", "alice", "bob"], listener.Credentials.Select(credential => credential.Name));
        Assert.Equal([true, true, false], listener.Credentials.Select(credential => credential.IsShown));
        Assert.Equal(ProxySecret.Create(Convert.FromHexString(Secret)), listener.Credentials[0].Secret);
        Assert.Equal(ProxySecret.Create(Convert.FromHexString(OtherSecret)), listener.Credentials[1].Secret);
        Assert.Equal(ClientProtocols.FakeTls | ClientProtocols.Secure | ClientProtocols.Classic, listener.Protocols);
        Assert.Equal("www.example.com", listener.Domain);
        Assert.Equal("proxy.example.org", listener.PublicHost);
        Assert.Equal(443, listener.PublicPort);
        Assert.Equal(5, listener.MaxConnections);
        Assert.Equal(["127.0.0.1:4430", "[::1]:4431"], settings.Direct.Endpoints[-2].Select(endpoint => endpoint.ToString()));
        Assert.Equal(-2, settings.Direct.DefaultDc);
        Assert.False(settings.Direct.PassThrough);
        Assert.True(settings.Direct.PreferIPv6);
        Assert.Equal(new TimeWindowSettings { Enabled = false, PastSeconds = 1, FutureSeconds = 2 }, settings.TimeWindow);
        Assert.Equal(TimeSpan.FromSeconds(3), settings.Timeouts.Handshake);
        Assert.Equal(TimeSpan.FromSeconds(4), settings.Timeouts.Idle);
        Assert.Equal(TimeSpan.FromSeconds(5), settings.Timeouts.ClientWrite);
        Assert.Equal(TimeSpan.FromSeconds(6), settings.Timeouts.Drain);
        Assert.Equal("/etc/portico/kept/here", settings.DataDirectory);
        Assert.Equal(EngineKind.Epoll, settings.Engine);
        Assert.Equal(3, settings.Loops);
    }

    [Fact]
    public void A_valid_middle_mode_keeps_everything_it_says()
    {
        var options = Valid();
        options.Backend.Mode = "middle";
        options.Backend.PreferIPv6 = true;
        options.Backend.Middle = new()
        {
            SecretUrl = "https://one.example/s",
            ConfigUrl = "https://two.example/c",
            ConfigV6Url = null,
            RefreshSeconds = 61,
            HttpTimeoutMs = 101,
            ExternalIp = "8.8.4.4, 2001:4860::1",
            IpLookupServices = ["http://three.example/"],
            InitialConnections = 3,
            ClientsPerConnection = 4,
            CheckCrc = false,
            Backpressure = new() { BytesTotal = 5000, PacketsTotal = 50, BytesPerClient = 6000, PacketsPerClient = 7 },
        };
        options.Health = new() { ClientQueuePackets = 8, ClientQueueBytes = 90000 };
        options.Replay.ServerErrorFilter = "off";

        var parsed = ProxyOptionsParser.Parse(options, ".");

        Assert.Empty(parsed.Errors);
        Assert.Empty(parsed.Warnings);
        var settings = parsed.Settings!;
        var middle = settings.Middle;
        Assert.Equal((BackendMode.Middle, true, ServerErrorFilter.Off), (settings.Mode, settings.PreferIPv6, settings.ServerErrorFilter));
        Assert.Equal(
            ("https://one.example/s", "https://two.example/c", null),
            (middle.SecretUrl.ToString(), middle.ConfigUrl.ToString(), middle.ConfigV6Url));
        Assert.Equal((TimeSpan.FromSeconds(61), TimeSpan.FromMilliseconds(101)), (middle.Refresh, middle.HttpTimeout));
        Assert.Equal((IPAddress.Parse("8.8.4.4"), IPAddress.Parse("2001:4860::1")), (middle.ExternalV4, middle.ExternalV6));
        Assert.Equal([new Uri("http://three.example/")], middle.IpLookupServices.AsEnumerable());
        Assert.Equal((3, 4, false), (middle.InitialConnections, middle.ClientsPerConnection, middle.CheckCrc));
        Assert.Equal(
            new BackPressureSettings { BytesTotal = 5000, PacketsTotal = 50, BytesPerClient = 6000, PacketsPerClient = 7 },
            middle.BackPressure);
        Assert.Equal(new HealthSettings { ClientQueuePackets = 8, ClientQueueBytes = 90000 }, settings.Health);
    }

    [Fact]
    public void A_valid_cover_keeps_everything_it_says()
    {
        var options = Valid();
        options.Cover = new()
        {
            Mode = "fixed",
            Target = "www.example.org:444",
            MalformedHello = "alert",
            PolicyRefused = "close",
            DecideMs = 800,
            MaxConnections = 9,
            LearnSeconds = 70,
            ConnectTimeoutSeconds = 3,
            ProxyProtocol = 2,
            AllowPrivateTargets = true,
        };

        var parsed = ProxyOptionsParser.Parse(options, ".");

        Assert.Empty(parsed.Errors);
        Assert.Empty(parsed.Warnings);
        var expected = new CoverSettings
        {
            Mode = CoverMode.Fixed,
            Target = CoverTarget.OfHost("www.example.org", 444),
            AlertMalformedHello = true,
            ClosePolicyRefused = true,
            Decide = TimeSpan.FromMilliseconds(800),
            MaxConnections = 9,
            Learn = TimeSpan.FromSeconds(70),
            ConnectTimeout = TimeSpan.FromSeconds(3),
            ProxyProtocol = 2,
            AllowPrivateTargets = true,
        };
        Assert.Equal(expected, parsed.Settings!.Cover);
    }

    [Theory]
    [InlineData("www.example.org:443")]
    [InlineData("192.0.2.1:8443")]
    [InlineData("[2001:db8::1]:443")]
    [InlineData("unix:/run/site.sock")]
    [InlineData("127.0.0.1:8444")]
    public void A_target_is_read_as_it_is_written(string text)
    {
        var options = Valid();
        Cover(options, text);

        Assert.Equal(text, ProxyOptionsParser.Parse(options, ".").Settings!.Cover.Target!.ToString());
    }

    [Fact]
    public void What_is_unwise_or_idle_about_a_cover_is_warned_of()
    {
        var options = Valid();
        options.Cover = new() { Mode = "sni", Target = "www.example.com:443", ProxyProtocol = 1, AllowPrivateTargets = true };

        var parsed = ProxyOptionsParser.Parse(options, ".");

        Assert.Null(parsed.Settings!.Cover.Target);
        Assert.Equal(
            ["cover.allowPrivateTargets", "cover.proxyProtocol", "cover.target"],
            parsed.Warnings.Select(warning => warning.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_user_without_an_ad_tag_has_the_listeners()
    {
        var options = Valid();
        options.Listeners[0].AdTag = Tag.ToUpperInvariant();
        options.Listeners[0].Users =
            [new() { Name = "alice", Secret = OtherSecret, AdTag = OtherTag }, new() { Name = "bob", Secret = new string('c', 32) }];

        var settings = ProxyOptionsParser.Parse(options, ".").Settings!;

        Assert.Equal([Tag, OtherTag, Tag], settings.Listeners[0].Credentials.Select(credential => credential.AdTag?.ToString()));
    }

    [Theory]
    [InlineData("auto", false, true)]
    [InlineData("direct", false, false)]
    [InlineData("middle", true, true)]
    public void The_way_of_a_client_follows_from_mode_and_ad_tag(string mode, bool untagged, bool tagged)
    {
        var options = Valid();
        options.Backend.Mode = mode;
        Assert.Equal(untagged, ProxyOptionsParser.Parse(options, ".").Settings!.UsesMiddleProxies);

        options.Listeners[0].Users = [new() { Name = "alice", Secret = OtherSecret, AdTag = OtherTag }];

        var settings = ProxyOptionsParser.Parse(options, ".").Settings!;
        Assert.Equal([untagged, tagged], settings.Listeners[0].Credentials.Select(settings.GoesThroughMiddleProxy));
        Assert.Equal(tagged, settings.UsesMiddleProxies);
    }

    [Fact]
    public void What_is_unwise_in_middle_mode_is_warned_of()
    {
        var options = Valid();
        options.Backend.Middle.SecretUrl = "http://mirror.example/s";
        options.Backend.Middle.ConfigUrl = "http://127.0.0.1:8080/c";
        options.Backend.Middle.ExternalIp = "10.0.0.7,2001:4860::1";
        options.Backend.Mode = "direct";
        options.Listeners[0].AdTag = Tag;
        options.Listeners[0].Users = [new() { Name = "alice", Secret = OtherSecret, AdTag = OtherTag }];

        var parsed = ProxyOptionsParser.Parse(options, ".");

        Assert.Empty(parsed.Errors);
        Assert.Equal(
            ["backend.middle.externalIp", "backend.middle.secretUrl", "listeners[0].adTag", "listeners[0].users[0].adTag"],
            parsed.Warnings.Select(warning => warning.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_defaults_of_the_options_are_those_of_the_settings()
    {
        var settings = ProxyOptionsParser.Parse(Valid(), ".").Settings!;

        var middle = new MiddleProxySettings();
        Assert.Equal(middle.IpLookupServices.AsEnumerable(), settings.Middle.IpLookupServices);
        Assert.Equal(middle, settings.Middle with { IpLookupServices = middle.IpLookupServices });
        Assert.Equal(new HealthSettings(), settings.Health);
        Assert.Equal(new CoverSettings(), settings.Cover);
        Assert.Equal((BackendMode.Auto, ServerErrorFilter.First), (settings.Mode, settings.ServerErrorFilter));
        Assert.Equal(new TimeWindowSettings(), settings.TimeWindow);
        Assert.Equal(new TimeoutSettings(), settings.Timeouts);
        var direct = new DirectSettings();
        Assert.Equal(
            (direct.DefaultDc, direct.PassThrough, direct.PreferIPv6),
            (settings.Direct.DefaultDc, settings.Direct.PassThrough, settings.Direct.PreferIPv6));
        Assert.Equal(64000, settings.Listeners[0].MaxConnections);
    }

    [Fact]
    public void A_secret_from_the_documentation_and_an_open_time_window_are_warned_of()
    {
        var options = Valid();
        options.Listeners[0].Secret = ListenerOptions.ExampleSecret.ToUpperInvariant();
        options.FakeTls.TimeWindow.Enabled = false;

        var parsed = ProxyOptionsParser.Parse(options, ".");

        Assert.NotNull(parsed.Settings);
        Assert.Equal(["listeners[0].secret", "fakeTls.timeWindow.enabled"], parsed.Warnings.Select(warning => warning.Key));
    }

    [Fact]
    public void Two_listeners_may_share_a_port_on_different_addresses_or_leave_it_to_the_system()
    {
        var options = Valid();
        options.Listeners =
        [
            Listener("one", Secret, "127.0.0.1", 8443), Listener("two", Secret, "127.0.0.2", 8443),
            Listener("three", Secret, "::1", 0), Listener("four", Secret, "::1", 0),
        ];

        Assert.Empty(ProxyOptionsParser.Parse(options, ".").Errors);
    }

    private static ProxyOptions Valid() => new() { Listeners = [new() { Secret = Secret, Domain = "www.example.com" }] };

    private static void Cover(ProxyOptions options, string target) => (options.Cover.Mode, options.Cover.Target) = ("fixed", target);

    private static ListenerOptions Listener(string name, string secret, string address, int port) =>
        new() { Name = name, Secret = secret, Address = address, Port = port, Domain = "www.example.com" };
}
