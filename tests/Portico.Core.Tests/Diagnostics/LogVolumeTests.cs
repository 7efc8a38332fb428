using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Portico.Core.Tests.Staging;
using Portico.TestKit.Diagnostics;
using Portico.TestKit.Memory;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Diagnostics;

/// <summary>What a bad minute leaves in the log of an operator: what happened, and not once for each client.</summary>
public sealed partial class LogVolumeTests : IDisposable
{
    private const int Clients = 32, Seconds = 60, Most = Seconds + 1;

    private readonly Stage _stage = new();

    public void Dispose() => _stage.Dispose();

    [Theory]
    [InlineData(ConnectAnswer.Refuse)]
    [InlineData(ConnectAnswer.NoSocket)]
    public void A_data_centre_that_refuses_for_a_minute_is_a_line_a_second_at_most_while_32_clients_retry(ConnectAnswer answer)
    {
        _stage.Loop.Answer(Stage.FirstAddress, answer);
        _stage.Loop.Answer(Stage.SecondAddress, answer);
        for (var second = 0; second < Seconds; second++)
        {
            for (var i = 0; i < Clients; i++) Come();
            _stage.Advance(1);
        }

        Assert.InRange(Operator().Length, 1, Most);
        _stage.Advance(10); // the last of them linger
        Assert.Equal(Clients * Seconds, _stage.Log.Lines.Count(line => line.EventName == "SessionClosed"));
        Assert.All(Operator(), line => Assert.Equal(LogLevel.Warning, line.Level));
    }

    [Fact]
    public void An_exception_of_ours_in_every_session_is_a_line_a_second_and_none_is_left_out_without_a_word()
    {
        for (var second = 0; second < Seconds; second++)
        {
            for (var i = 0; i < Clients; i++) Fault();
            _stage.Advance(1);
        }

        _stage.Advance(1);
        Assert.Equal(Most, Operator().Length);
        Assert.All(Operator(), line => Assert.Equal("SessionFaulted", line.EventName));
        Assert.Equal(Clients * Seconds - Most, Operator().Sum(LeftOut));
    }

    private void Come()
    {
        var client = _stage.Call();
        client.Peer.Send(client.Hello);
        _stage.Run();
        client.Peer.Send(client.Header);
        _stage.Run();
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
    }

    private void Fault()
    {
        var peer = _stage.CallRaw();
        peer.NextReadThrows = new TimeZoneNotFoundException();
        peer.Send([1]);
        _stage.Run();
    }

    private static int LeftOut(LogLine line) =>
        MoreLikeIt().Match(line.Text) is { Success: true } match ? int.Parse(match.Groups["more"].Value, CultureInfo.InvariantCulture) : 0;

    [GeneratedRegex(@"\((?<more>\d+) more like it\)")]
    private static partial Regex MoreLikeIt();

    private LogLine[] Operator() => [.. _stage.Log.Lines.Where(line => line.Level > LogLevel.Debug)];
}
