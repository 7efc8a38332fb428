using Microsoft.Extensions.Logging;
using Portico.Core.Tests.Staging;
using Portico.TestKit.Memory;
using Xunit;

namespace Portico.Core.Tests.Diagnostics;

/// <summary>A wrong clock of this machine looks like a proxy that lets nobody in: the operator must hear of it.</summary>
public sealed class ClientClocksTests : IDisposable
{
    private readonly Stage _stage = new();

    public void Dispose() => _stage.Dispose();

    [Theory]
    [InlineData(3600, "about 3600 s ahead of ours")]
    [InlineData(-3600, "about 3600 s behind ours")]
    public void Clients_with_another_time_are_one_warning_at_once_and_one_a_minute_with_their_number(int ahead, string told)
    {
        Come(ahead);
        var warning = Assert.Single(Warnings());
        Assert.Contains("1 clients with the right secret were refused in the last minute", warning, StringComparison.Ordinal);
        Assert.Contains(told, warning, StringComparison.Ordinal);

        for (var i = 0; i < 30; i++)
        {
            Come(ahead + i);
            _stage.Advance(1.9);
        }

        Assert.Single(Warnings());
        _stage.Advance(4);
        Assert.Equal(2, Warnings().Length);
        Assert.Contains("30 clients", Warnings()[1], StringComparison.Ordinal);
        Assert.Contains($"about {Math.Abs(ahead + 15)} s", Warnings()[1], StringComparison.Ordinal);

        // Nobody came since: there is nothing to tell, and the next one is told at once.
        _stage.Advance(300);
        Assert.Equal(2, Warnings().Length);
        Come(ahead);
        Assert.Equal(3, Warnings().Length);
    }

    [Fact]
    public void Neither_a_wrong_secret_nor_a_replay_nor_an_unset_clock_is_a_matter_of_clocks()
    {
        Come(3600, new ClientTraits { Secret = Stage.WrongSecret });
        Come(-(int)_stage.Time.GetUtcNow().ToUnixTimeSeconds() + 4711);

        var (client, _) = _stage.Relay();
        client.Peer.Reset();
        _stage.Advance(700);
        Send(_stage.CallRaw(), client.Hello);
        Assert.Equal(
            ["tls_invalid_digest (client)", "tls_time (client)", "client_reset (client)", "tls_time (client)"], _stage.Metrics.Closed);
        Assert.Empty(Warnings());
    }

    private void Come(int ahead, ClientTraits? traits = null)
    {
        var client = _stage.Call((traits ?? new ClientTraits()) with { ClockAhead = ahead });
        Send(client.Peer, client.Hello);
    }

    private void Send(MemoryPeer peer, byte[] hello)
    {
        peer.Send(hello);
        peer.Finish();
        _stage.Run();
    }

    private string[] Warnings() => [.. _stage.Log.Lines.Where(line => line.Level >= LogLevel.Warning).Select(line => line.Text)];
}
