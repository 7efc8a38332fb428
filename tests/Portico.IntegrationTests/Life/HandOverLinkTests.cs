using Portico.Core;
using Portico.Core.Admission.Replay;
using Portico.Core.Net;
using Portico.Core.Net.Epoll;
using Portico.IntegrationTests.Commands;
using Portico.TestKit.Clients;
using Portico.TestKit.Proxies;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Life;

/// <summary>A successor that does what it should not, at each point of the hand-over: the test is its end of the link.</summary>
public sealed class HandOverLinkTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly TemporaryDirectory _directory = new();

    private string DataDirectory => _directory.File("data");

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("is gone at once", "before it was ready")]
    [InlineData("speaks another version", "another version")]
    [InlineData("has another directory", "data directory")]
    [InlineData("is gone with the sockets", "before it was ready")]
    [InlineData("says something else", "did not begin to serve")]
    public async Task One_that_fails_before_it_may_accept_leaves_everything_as_it_was(string fault, string problem)
    {
        if (!OperatingSystem.IsLinux()) return;
        await using var test = Start();
        await using var before = await test.GreetAsync();
        var theirs = HandOver(test, out var handingOver, out var ended);
        switch (fault)
        {
            case "speaks another version":
                theirs.Send($"ready 1.2 {DataDirectory}");
                break;
            case "has another directory":
                theirs.Send("ready 1.1 elsewhere");
                break;
            case "is gone with the sockets" or "says something else":
                using (var sockets = await TakeOverAsync(theirs))
                {
                    Assert.Equal(test.Endpoint, Assert.Single(sockets.Left));
                    if (fault == "says something else") theirs.Send("done");
                    else theirs.Dispose();
                }

                break;
            default:
                theirs.Dispose();
                break;
        }

        var error = await Assert.ThrowsAsync<HandOverException>(() => handingOver.WaitAsync(Patience));
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
        theirs.Dispose();
        Assert.Equal(fault is "is gone with the sockets" or "says something else", ended());
        await before.EchoAsync(100);
        await using var after = await test.GreetAsync();
        await after.EchoAsync(100);
        foreach (var client in new[] { before, after })
            Assert.Equal(Received.Nothing(PeerEnd.Fin), await StrangerClient.CallAsync(test.Endpoint, client.Hello));
        Assert.False(test.Proxy.IsHandedOver);
        Assert.True(File.Exists(Path.Combine(DataDirectory, ReplayMemory.RunningName)));
        await test.Proxy.ReloadAsync(test.Proxy.Settings);
    }

    [Fact]
    public async Task Of_one_that_may_have_let_somebody_in_and_died_nothing_is_let_in_again()
    {
        if (!OperatingSystem.IsLinux()) return;
        await using var test = Start();
        await using var before = await test.GreetAsync(); // as its successor may have let it in
        var theirs = HandOver(test, out var handingOver, out var ended);
        using (await TakeOverAsync(theirs)) await OnThreadAsync(theirs.AwaitCommit);
        theirs.Dispose();
        await Assert.ThrowsAsync<HandOverException>(() => handingOver.WaitAsync(Patience));
        Assert.True(ended());

        var now = (uint)DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        await using var same = await test.ConnectAsync(new ClientProfile { Timestamp = now });
        Assert.Equal(Received.Nothing(PeerEnd.Fin), await StrangerClient.CallAsync(test.Endpoint, same.Hello));
        await test.Metrics.UntilAsync(
            "portico_protocol_error_total", 1, ("listener", ProxyUnderTest.Listener), ("reason", "tls_before_start"));
        await using var later = await test.GreetAsync(new ClientProfile { Timestamp = now + 10 });
        await later.EchoAsync(100);
    }

    [Fact]
    public async Task One_that_accepts_is_asked_and_whoever_it_does_not_answer_for_is_not_let_in()
    {
        if (!OperatingSystem.IsLinux()) return;
        await using var test = Start();
        await using var asked = await test.ConnectAsync();
        await using var unanswered = await test.ConnectAsync();
        await test.Metrics.UntilAsync("portico_connections_accepted_total", 2);
        var theirs = HandOver(test, out var handingOver, out _);
        using var sockets = await TakeOverAsync(theirs);
        await OnThreadAsync(theirs.AwaitCommit);
        theirs.Accepting();
        await handingOver.WaitAsync(Patience);
        Assert.True(test.Proxy.IsHandedOver);
        Assert.Contains("draining", test.Proxy.Control.NotReady());

        var questions = 0;
        var listening = OnThreadAsync(
            () => theirs.Listen(_ => ++questions == 1 ? (byte)0 : throw new InvalidOperationException("no answer")));
        await asked.GreetAsync();
        await asked.EchoAsync(100);
        await unanswered.SendHelloAsync();
        Assert.Equal(Received.Nothing(PeerEnd.Fin), await unanswered.Wire.ReadToEndAsync());
        await Assert.ThrowsAsync<InvalidOperationException>(() => listening.WaitAsync(Patience));
        Assert.Equal(2, questions);
        Assert.True(theirs.DoorsFree.IsCompleted); // nobody waits for a process that is gone
    }

    [Fact]
    public async Task A_stop_ends_a_hand_over_that_is_under_way()
    {
        if (!OperatingSystem.IsLinux()) return;
        await using var test = Start();
        var theirs = HandOver(test, out var handingOver, out var ended);
        using (await TakeOverAsync(theirs))
        {
            await test.Proxy.StopAsync(TimeSpan.FromSeconds(5)).WaitAsync(Patience);
            await Assert.ThrowsAsync<HandOverException>(() => handingOver.WaitAsync(Patience));
            Assert.True(ended());
        }

        theirs.Dispose();
        Assert.False(File.Exists(Path.Combine(DataDirectory, ReplayMemory.RunningName)));
    }

    [Fact]
    public async Task A_closed_listener_that_somebody_else_holds_too_wakes_nobody()
    {
        if (!OperatingSystem.IsLinux()) return;
        await using var test = Start();
        var kept = (await test.Proxy.ListeningDescriptorsAsync()).Select(ListeningSocket.Duplicate).ToList();
        var endpoint = test.Endpoint;
        await using var client = await test.GreetAsync();
        await client.EchoAsync(10);
        await test.Proxy.Engine.StopListeningAsync();
        await using var waiting = await Wire.ConnectAsync(endpoint);
        var before = test.Proxy.Engine.Loops.Sum(loop => loop.Turns);
        await Task.Delay(200); // in which a loop that spins turns ten thousand times
        Assert.InRange(test.Proxy.Engine.Loops.Sum(loop => loop.Turns) - before, 0, 500);
        foreach (var descriptor in kept) EpollLoop.Release(descriptor);
    }

    private ProxyUnderTest Start() =>
        ProxyUnderTest.Start(EngineKind.Epoll, settings => settings with { DataDirectory = DataDirectory, HasNewSecret = true });

    private static HandOverLink HandOver(ProxyUnderTest test, out Task handingOver, out Func<bool> ended)
    {
        var hasEnded = false;
        var ours = HandOverLink.Create(out var inherited);
        handingOver = test.Proxy.HandOverAsync(ours, () =>
        {
            hasEnded = true;
            ours.Dispose();
        });
        ended = () => hasEnded;
        return HandOverLink.Of(inherited);
    }

    private async Task<InheritedSockets> TakeOverAsync(HandOverLink theirs)
    {
        InheritedSockets? sockets = null;
        await OnThreadAsync(() => sockets = theirs.TakeOver(DataDirectory, Patience));
        return sockets!;
    }

    private static Task OnThreadAsync(Action work) => Task.Run(work).WaitAsync(Patience);
}
