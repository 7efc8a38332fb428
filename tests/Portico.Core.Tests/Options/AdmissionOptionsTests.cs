using System.Text;
using Portico.Core.Options;
using Portico.Protocol.Secrets;
using Xunit;

namespace Portico.Core.Tests.Options;

/// <summary>Sections <c>fakeTls</c>, <c>replay</c>, <c>limits</c>, and <c>resetOnClose</c>.</summary>
public class AdmissionOptionsTests
{
    public static TheoryData<string, string, Action<ProxyOptions>> Mistakes => new()
    {
        { "fakeTls.perSniSecrets.salt", "0 characters", o => o.FakeTls.PerSniSecrets.Salt = "" },
        { "fakeTls.perSniSecrets.salt", "257 characters", o => o.FakeTls.PerSniSecrets.Salt = new string('x', 257) },
        { "replay.maxItems", "outside 1000..", o => o.Replay.MaxItems = 999 },
        { "replay.maxMemoryMb", "outside 1..", o => o.Replay.MaxMemoryMb = 0 },
        { "replay.maxDiskMb", "outside 4..", o => o.Replay.MaxDiskMb = 3 },
        { "replay.maxAgeDays", "outside 1..", o => o.Replay.MaxAgeDays = 0 },
        { "replay.maxAgeMinutes", "outside 1..", o => o.Replay.MaxAgeMinutes = 0 },
        { "limits.unauthenticatedPerAddress", "outside 0..", o => o.Limits.UnauthenticatedPerAddress = -1 },
        { "limits.strangersPerSecond", "outside 0..", o => o.Limits.StrangersPerSecond = -1 },
        { "limits.strangerBurst", "outside 24..", o => o.Limits.StrangerBurst = 23 },
        { "resetOnClose", "not one of", o => o.ResetOnClose = "handshake_error" },
    };

    public static TheoryData<string, string, Action<ProxyOptions>> Follies => new()
    {
        { "fakeTls.timeWindow.enabled", "off", o => o.FakeTls.TimeWindow.Enabled = false },
        { "fakeTls.perSniSecrets.salt", "public default", o => o.FakeTls.PerSniSecrets.Enabled = true },
        { "replay.enabled", "off", o => o.Replay.Enabled = false },
        { "replay.maxAgeMinutes", "in this release only", o => o.Replay.MaxAgeMinutes = 360 },
        {
            "replay.maxAgeDays", "shorter than fakeTls.timeWindow",
            o => (o.Replay.MaxAgeDays, o.FakeTls.TimeWindow.PastSeconds) = (1, 86400)
        },
        { "replay.maxAgeDays", "\"maxAgeDays\": 2", o => (o.Replay.MaxAgeDays, o.FakeTls.TimeWindow.PastSeconds) = (1, 86400) },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_mistake_is_named_by_its_key(string key, string says, Action<ProxyOptions> make)
    {
        var error = Assert.Single(Parse(make).Errors);
        Assert.Equal(key, error.Key);
        Assert.Contains(says, error.Problem, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Follies))]
    public void What_is_unwise_is_warned_of(string key, string says, Action<ProxyOptions> make)
    {
        var parsed = Parse(make);
        Assert.Empty(parsed.Errors);
        var warning = Assert.Single(parsed.Warnings);
        Assert.Equal(key, warning.Key);
        Assert.Contains(says, warning.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Defaults_are_those_of_the_documentation_and_nothing_to_warn_of()
    {
        var parsed = Parse(_ => { });
        Assert.Empty(parsed.Warnings);
        var settings = parsed.Settings!;
        Assert.Equal(
            new ReplaySettings
            {
                Enabled = true,
                MaxItems = 4_000_000,
                MaxBytes = 536_870_912,
                MaxDiskBytes = 2L << 30,
                MaxAge = TimeSpan.FromDays(30),
            },
            settings.Replay);
        Assert.Equal(
            new TimeWindowSettings { Enabled = true, PastSeconds = 600, FutureSeconds = 120, AcceptUnsetClock = false },
            settings.TimeWindow);
        Assert.Null(settings.PerSni);
        Assert.Equal(ResetOnClose.Off, settings.ResetOnClose);
        Assert.Equal(
            new LimitSettings { UnauthenticatedPerAddress = 1024, StrangersPerSecond = 16, StrangerBurst = 64, CountsLoopback = false },
            settings.Limits);
        Assert.Equal("mtproto-proxy-per-sni-v1", new PerSniSecretOptions().Salt);
    }

    [Fact]
    public void Everything_that_is_written_is_kept()
    {
        var parsed = Parse(options =>
        {
            options.Replay = new() { Enabled = true, MaxItems = 5000, MaxMemoryMb = 2, MaxDiskMb = 5, MaxAgeDays = 9 };
            options.FakeTls.TimeWindow.AcceptUnsetClock = true;
            options.FakeTls.PerSniSecrets = new() { Enabled = true, Salt = "grüße" };
            options.Limits = new() { UnauthenticatedPerAddress = 7, StrangersPerSecond = 8, StrangerBurst = 90 };
            options.ResetOnClose = "handshake-error";
        });
        Assert.Empty(parsed.Warnings);
        var settings = parsed.Settings!;
        Assert.Equal(
            new ReplaySettings { MaxItems = 5000, MaxBytes = 2 << 20, MaxDiskBytes = 5 << 20, MaxAge = TimeSpan.FromDays(9) },
            settings.Replay);
        Assert.True(settings.TimeWindow.AcceptUnsetClock);
        Assert.Equal("grüße", Encoding.UTF8.GetString(settings.PerSni!.Salt.Span));
        Assert.Equal(new LimitSettings { UnauthenticatedPerAddress = 7, StrangersPerSecond = 8, StrangerBurst = 90 }, settings.Limits);
        Assert.Equal(ResetOnClose.HandshakeError, settings.ResetOnClose);
        Assert.Equal(ResetOnClose.Always, Parse(options => options.ResetOnClose = "always").Settings!.ResetOnClose);
    }

    [Fact]
    public void The_former_limit_of_age_is_understood_in_minutes() =>
        Assert.Equal(TimeSpan.FromMinutes(90), Parse(options => options.Replay.MaxAgeMinutes = 90).Settings!.Replay.MaxAge);

    [Fact]
    public void Telling_users_apart_takes_work_in_proportion_to_their_number()
    {
        const int users = 100_000;
        var listener = new ListenerOptions
        {
            Users = [.. Enumerable.Range(1, users).Select(i => new UserOptions { Name = $"user{i}", Secret = $"{i:x32}" })],
        };
        var (errors, comparer) = (new List<ConfigurationError>(), new CountingComparer());

        var credentials = Credentials.Parse(listener, "listeners[0]", errors, [], comparer: comparer);

        Assert.Empty(errors);
        Assert.Equal(users, credentials.Length);
        Assert.InRange(comparer.Compared, 0, users / 10); // of each pair of users: 5 000 000 000
    }

    [Fact]
    public void Among_many_users_two_that_are_the_same_are_still_found()
    {
        var listener = new ListenerOptions
        {
            Users = [.. Enumerable.Range(1, 1000).Select(i => new UserOptions { Name = $"user{i % 999}", Secret = $"{i % 998:X32}" })],
        };
        var errors = new List<ConfigurationError>();

        Credentials.Parse(listener, "listeners[0]", errors, []);

        Assert.Equal(
            ["listeners[0].users[998].secret", "listeners[0].users[999].name", "listeners[0].users[999].secret"],
            errors.Select(error => error.Key).Order(StringComparer.Ordinal));
        Assert.Contains(
            "listeners[0].users[0].secret",
            errors.Single(error => error.Key == "listeners[0].users[998].secret").Problem, StringComparison.Ordinal);
    }

    private static ParsedOptions Parse(Action<ProxyOptions> change)
    {
        var options = new ProxyOptions { Listeners = [new() { Secret = "a1b2c3d4e5f60718293a4b5c6d7e8f90", Domain = "www.example.com" }] };
        change(options);
        return ProxyOptionsParser.Parse(options, ".");
    }

    private sealed class CountingComparer : IEqualityComparer<ProxySecret>
    {
        public int Compared { get; private set; }

        public bool Equals(ProxySecret? x, ProxySecret? y)
        {
            Compared++;
            return x!.Equals(y);
        }

        public int GetHashCode(ProxySecret obj) => obj.GetHashCode();
    }
}
