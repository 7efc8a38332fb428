using Portico.Core.Diagnostics;
using Portico.Core.Tests.Docs;
using Portico.Core.Tests.Staging;
using Portico.Core.Web;
using Portico.Protocol;
using Xunit;
using static Portico.Core.Tests.Web.WebStage;
using static Portico.TestKit.Web.AppFrame;

namespace Portico.Core.Tests.Web;

/// <summary>Each end of a WEB session can be brought about, is counted under its name, and docs/metrics.md tells of it.</summary>
public sealed class WebEndTests
{
    public static TheoryData<WebEndCase> All { get; } = [.. Enum.GetValues<WebEnd>().Select(end => new WebEndCase($"{end}"))];

    [Theory]
    [MemberData(nameof(All))]
    public void Every_end_can_be_brought_about_and_is_counted_with_those_of_its_streams(WebEndCase named)
    {
        var end = Enum.Parse<WebEnd>(named.Name);
        using var stage = new WebStage();
        var entry = stage.Create();
        ObfuscatedEnd.Open(Transport.Padded, 2, Stage.Secret, out var header);

        BringAbout(end, stage, entry, Sequence(Open(1), Data(1, header)));

        Assert.Equal(end, entry.Session.Ended);
        var counted = Assert.Single(stage.Stage.Metrics.Of("portico.web.ended"));
        Assert.Equal((1.0, "main", end.Tag()), (counted.Value, counted.Tags["listener"], counted.Tags["reason"]));
        Assert.Equal([RowOf(end)[2]], stage.Stage.Metrics.Closed.Select(closed => $" `{closed.Split(' ')[0]}` "));
        Assert.Equal(0, stage.Gate.Sessions.Count);
        Assert.Equal(64, stage.Stage.Metrics.Observe("portico.web.received"));
        if (end != WebEnd.Fault) stage.AssertNothingLeft();
    }

    [Fact]
    public void No_two_ends_have_one_name() => Assert.Distinct(Enum.GetValues<WebEnd>().Select(end => end.Tag()));

    // What it is, what happened, how its streams end.
    private static string[] RowOf(WebEnd end) => Assert.Single(
        Repository.Read("docs/metrics.md").Split("## Ends of WEB sessions")[1].Split("\n## ")[0].Split('\n'),
        row => row.StartsWith($"| `{end.Tag()}` | ", StringComparison.Ordinal)).Trim('|').Split('|');

    // Without a default: an end that nobody brings about fails.
    private static void BringAbout(
        WebEnd end, WebStage stage, WebEntry entry, System.Buffers.ReadOnlySequence<byte> first)
    {
        switch (end)
        {
            case WebEnd.Deleted:
                stage.Done(entry.PostAsync(1, null, first));
                _ = entry.EndAsync(WebEnd.Deleted);
                break;
            case WebEnd.Grace:
                stage.Done(entry.PostAsync(1, null, first));
                stage.Stage.Advance(121);
                break;
            case WebEnd.Protocol:
                stage.Done(entry.PostAsync(1, null, first));
                stage.Done(entry.PostAsync(3, null, first));
                break;
            case WebEnd.Limit:
                stage.Done(entry.PostAsync(1, null, first));
                while (entry.Session.User.Rates.MayOpenStream(entry.Session.Loop.NowMs))
                {
                }

                for (var number = 2u; number <= 7; number++)
                {
                    var opens = Enumerable.Range(1, 4096).Select(i => Open((number * 5000) + (uint)i));
                    stage.Done(entry.PostAsync(number, null, Sequence([.. opens])));
                }

                break;
            case WebEnd.CarrierLost:
                var socket = new SocketCalls(stage.Done(entry.OpenSocketAsync(null))!);
                Assert.True(stage.Done(entry.ReceiveAsync(socket, first)));
                _ = entry.CloseSocketAsync(socket.Carrier);
                break;
            case WebEnd.Revoked:
                stage.Done(entry.PostAsync(1, null, first));
                stage.Reload(listener => listener with
                {
                    Credentials = [listener.Credentials[0] with { Secret = Stage.WrongSecret }],
                });
                break;
            case WebEnd.Shutdown:
                stage.Done(entry.PostAsync(1, null, first));
                _ = stage.Gate.Sessions.CloseAsync();
                break;
            case WebEnd.Fault:
                stage.Done(entry.PostAsync(1, null, first));
                entry.Session.Loop.Post(() => throw new InvalidOperationException("a fault of ours"), entry.Session.OnFault);
                break;
            default:
                Assert.Fail($"nobody has said how {end} comes about");
                break;
        }

        stage.Stage.Run();
    }

    /// <summary>The enumeration is the library's own; a public test may not name it.</summary>
    public sealed record WebEndCase(string Name);
}
