using System.Net;
using System.Net.Sockets;
using Portico.Core.Cover;
using Portico.Core.Options;
using Portico.Core.Users;
using Portico.Protocol.Secrets;
using Portico.TestKit.Time;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Cover;

/// <summary>Where covers are: what is asked, how often, and what is never connected to.</summary>
public sealed class CoverDirectoryTests
{
    private static readonly IPAddress First = IPAddress.Parse("8.8.4.4"), Second = IPAddress.Parse("8.8.8.8");

    private readonly ManualTime _time = new();

    [Fact]
    public void An_operators_site_is_resolved_at_the_start_and_stays_known_while_it_is_asked_for_again()
    {
        var answers = new Queue<Task<IPAddress[]>>([Task.FromResult<IPAddress[]>([First]), Task.FromResult<IPAddress[]>([Second])]);
        var directory = Fixed("site.example", _ => answers.Dequeue());
        directory.Begin();
        Assert.Equal([new IPEndPoint(First, 443)], Known(directory).Addresses.AsEnumerable());
        _time.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal([new IPEndPoint(First, 443)], Known(directory).Addresses.AsEnumerable()); // this one asks, the next one knows
        Assert.Equal([new IPEndPoint(Second, 443)], Known(directory).Addresses.AsEnumerable());
        Assert.Empty(answers);
    }

    [Fact]
    public void An_operators_site_does_not_vanish_because_the_resolver_does()
    {
        var isDown = false;
        var directory = Fixed("site.example", _ => isDown
            ? Task.FromException<IPAddress[]>(new SocketException((int)SocketError.TryAgain))
            : Task.FromResult<IPAddress[]>([First]));
        directory.Begin();
        isDown = true;
        for (var minute = 0; minute < 10; minute++)
        {
            _time.Advance(TimeSpan.FromSeconds(61));
            Assert.Equal(CoverFinding.Found, Known(directory).Finding);
        }
    }

    [Fact]
    public async Task A_name_that_was_not_found_is_asked_for_again_after_five_seconds()
    {
        var asked = 0;
        var directory = Fixed("site.example", _ => Task.FromResult<IPAddress[]>(++asked < 2 ? [] : [First]));
        Assert.Equal(CoverFinding.NotFound, (await AskAsync(directory, "site.example")).Finding);
        Assert.Equal(CoverFinding.NotFound, Known(directory).Finding);
        _time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(CoverFinding.Found, (await AskAsync(directory, "site.example")).Finding);
        Assert.Equal(2, asked);
    }

    [Fact]
    public async Task A_strangers_name_is_known_for_a_minute_and_then_asked_for_anew()
    {
        var answers = new Queue<IPAddress[]>([[First], [Second]]);
        var directory = Named(_ => Task.FromResult(answers.Dequeue()));
        await AskAsync(directory, "site.example");
        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal([new IPEndPoint(First, 443)], Known(directory).Addresses.AsEnumerable());
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal([new IPEndPoint(Second, 443)], (await AskAsync(directory, "SITE.example")).Addresses.AsEnumerable());
    }

    [Fact]
    public async Task Sixteen_names_are_asked_for_at_a_time_and_beyond_256_waiting_none_is()
    {
        var gate = new TaskCompletionSource<IPAddress[]>();
        var asked = 0;
        var directory = Named(_ =>
        {
            Interlocked.Increment(ref asked);
            return gate.Task;
        });
        var waiting = Enumerable.Range(0, 16 + 256).Select(i => AskAsync(directory, $"name{i}.example")).ToList();
        Assert.Equal(16, asked);
        Assert.Equal(CoverFinding.NotFound, directory.Find(CoverTarget.OfHost("another.example", 443), _ => { })!.Finding);
        gate.SetResult([First]);
        var answers = await Task.WhenAll(waiting).WaitAsync(Wire.Patience);
        Assert.All(answers, answer => Assert.Equal(CoverFinding.Found, answer.Finding));
        Assert.Equal(16 + 256, asked);
    }

    [Fact]
    public async Task Names_that_strangers_make_up_push_out_the_oldest_and_no_more_than_a_thousand_are_kept()
    {
        var asked = 0;
        var directory = Named(_ =>
        {
            Interlocked.Increment(ref asked);
            return Task.FromResult<IPAddress[]>([First]);
        });
        for (var i = 0; i < 1025; i++) await AskAsync(directory, $"name{i}.example");
        Assert.NotNull(directory.Find(CoverTarget.OfHost("name1.example", 443), _ => { }));
        Assert.Equal(1025, asked);
        await AskAsync(directory, "name0.example");
        Assert.Equal(1026, asked);
    }

    [Theory]
    [InlineData("127.0.0.1:443", "[::]:443", true)]
    [InlineData("127.0.0.1:444", "[::]:443", false)]
    [InlineData("[::1]:443", "[::]:443", true)]
    [InlineData("[::1]:443", "0.0.0.0:443", false)]
    [InlineData("0.0.0.0:443", "127.0.0.1:443", true)] // what a blocked name resolves to, and the kernel connects to
    [InlineData("0.0.0.0:443", "[::]:443", true)]
    [InlineData("[::]:443", "[::1]:443", true)]
    [InlineData("0.0.0.0:443", "203.0.113.5:443", false)]
    [InlineData("203.0.113.5:443", "0.0.0.0:443", true)] // an address of this machine
    [InlineData("203.0.113.6:443", "0.0.0.0:443", false)]
    [InlineData("203.0.113.5:443", "127.0.0.1:443", false)]
    [InlineData("203.0.113.7:443", "127.0.0.1:8443", true)] // published, with its public port
    [InlineData("203.0.113.7:8443", "127.0.0.1:8443", false)]
    [InlineData("203.0.113.8:443", "127.0.0.1:8443", true)] // how Telegram sees us
    public void Our_own_listeners_are_recognized(string target, string listening, bool isOurs)
    {
        var settings = SettingsWith(new CoverSettings()) with { Middle = new() { ExternalV4 = IPAddress.Parse("203.0.113.8") } };
        settings = settings with { Listeners = [settings.Listeners[0] with { PublicHost = "203.0.113.7", PublicPort = 443 }] };
        var own = new OwnEndpoints(() => [IPAddress.Parse("203.0.113.5")]);
        Assert.False(own.Contains(IPEndPoint.Parse(target))); // nothing is bound yet
        own.Bound(settings, [IPEndPoint.Parse(listening)]);
        Assert.Equal(isOurs, own.Contains(IPEndPoint.Parse(target)));
    }

    [Fact]
    public void An_address_that_turns_out_to_be_our_own_is_a_loop()
    {
        var settings = SettingsWith(
            new CoverSettings { Mode = CoverMode.Fixed, Target = CoverTarget.OfAddress(IPEndPoint.Parse("127.0.0.1:4711")) });
        var own = new OwnEndpoints(() => []);
        var directory = new CoverDirectory(settings.Cover, own, _ => throw new InvalidOperationException("nothing to resolve"), _time);
        own.Bound(settings, [IPEndPoint.Parse("[::]:4711")]);
        directory.Begin();
        Assert.Equal(CoverFinding.Loop, directory.Find(settings.Cover.Target!, _ => { })!.Finding);
    }

    private static CoverAnswer Known(CoverDirectory directory) =>
        directory.Find(CoverTarget.OfHost("site.example", 443), _ => { }) ?? throw new InvalidOperationException("not known");

    private static Task<CoverAnswer> AskAsync(CoverDirectory directory, string host)
    {
        var answer = new TaskCompletionSource<CoverAnswer>();
        if (directory.Find(CoverTarget.OfHost(host, 443), answer.SetResult) is { } known)
            answer.SetResult(known);
        return answer.Task.WaitAsync(Wire.Patience);
    }

    private static ProxySettings SettingsWith(CoverSettings cover) => new()
    {
        Listeners = [new ListenerSettings
        {
            Name = "main",
            Address = new IPEndPoint(IPAddress.Loopback, 0),
            Credentials = [new Credential("default", ProxySecret.Create(new byte[16]))],
        }],
        Direct = new DirectSettings(),
        Cover = cover,
        TimeWindow = new TimeWindowSettings(),
        Timeouts = new TimeoutSettings(),
    };

    private CoverDirectory Fixed(string host, Func<string, Task<IPAddress[]>> resolve) =>
        Directory(new CoverSettings { Mode = CoverMode.Fixed, Target = CoverTarget.OfHost(host, 443) }, resolve);

    private CoverDirectory Named(Func<string, Task<IPAddress[]>> resolve) => Directory(new CoverSettings { Mode = CoverMode.Sni }, resolve);

    private CoverDirectory Directory(CoverSettings cover, Func<string, Task<IPAddress[]>> resolve) =>
        new(cover, new OwnEndpoints(() => []), resolve, _time);
}
