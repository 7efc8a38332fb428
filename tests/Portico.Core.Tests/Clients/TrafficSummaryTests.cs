using Microsoft.Extensions.Logging;
using Portico.Core.Tests.Staging;
using Xunit;

namespace Portico.Core.Tests.Clients;

public sealed class TrafficSummaryTests : IDisposable
{
    private readonly Stage _stage = new();

    public void Dispose() => _stage.Dispose();

    [Fact]
    public void Every_ten_minutes_in_which_something_happened_are_a_line()
    {
        var (client, _) = _stage.Relay();
        var (other, _) = _stage.Relay();
        var stranger = _stage.Call(new ClientTraits { Secret = Stage.WrongSecret });
        stranger.Peer.Send(stranger.Hello);
        _stage.CallRaw().Finish();
        _stage.Run();
        stranger.Peer.Finish();
        _stage.Run();
        Assert.Empty(Summaries());
        _stage.Advance(601);
        var line = Assert.Single(Summaries());
        Assert.Contains("2 clients of 1 users came", line, StringComparison.Ordinal);
        Assert.Contains($"{client.Flight.Length + other.Flight.Length} bytes to them", line, StringComparison.Ordinal);
        Assert.Contains("1 strangers refused, 1 early ends; 2 sessions are open", line, StringComparison.Ordinal);

        client.Say("still here"u8);
        _stage.Advance(600);
        line = Assert.Single(Summaries().Skip(1));
        Assert.Contains("0 clients of 0 users came, 15 bytes from clients, 0 bytes to them", line, StringComparison.Ordinal);
        _stage.Advance(1200);
        Assert.Equal(2, Summaries().Length);
    }

    [Fact]
    public void A_proxy_that_nobody_comes_to_says_nothing()
    {
        _stage.Advance(7200);
        Assert.DoesNotContain(_stage.Log.Lines, line => line.Level > LogLevel.Debug);
    }

    private string[] Summaries() =>
        [.. _stage.Log.Lines.Where(line => line is { EventName: "Summary", Level: LogLevel.Information }).Select(line => line.Text)];
}
