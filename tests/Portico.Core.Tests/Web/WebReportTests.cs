using Microsoft.Extensions.Logging;
using Portico.Core.Tests.Staging;
using Portico.Core.Web;
using Portico.Protocol;
using Xunit;
using static Portico.Core.Tests.Web.WebStage;
using static Portico.TestKit.Web.AppFrame;

namespace Portico.Core.Tests.Web;

/// <summary>What an operator can read of WEB sessions.</summary>
public sealed class WebReportTests
{
    [Fact]
    public void The_line_of_an_end_has_number_user_carrier_streams_bytes_and_seconds()
    {
        using var stage = new WebStage();
        stage.Create();
        var entry = stage.Create();
        Relay(stage, entry, streams: 2);
        stage.Stage.Advance(7);

        stage.Done(EndAsync(entry));

        var line = Assert.Single(stage.Stage.Log.Lines, line => line.EventName == "WebSessionEnded");
        Assert.Equal(LogLevel.Debug, line.Level);
        Assert.Equal(
            "WEB session 2 on main ended: web_deleted after 7 s; user default, https, 2 streams; 128 bytes from it, 5 to it",
            line.Text.Split(" | ")[0]);
    }

    [Fact]
    public void Pages_and_sessions_are_counted_with_the_time_between_them()
    {
        using var stage = new WebStage();
        var page = stage.Gate.Sessions.NewPage(stage.Secure)!;
        stage.Gate.Sessions.NewPage(stage.Secure);
        stage.Stage.Advance(1.5);

        Assert.NotNull(stage.Gate.Sessions.Create(stage.Read(page), AppAddress).Token);
        Assert.NotNull(stage.Gate.Sessions.Create(stage.Read(page), AppAddress).Token); // the first answer was lost

        Assert.Equal(2, stage.Stage.Metrics.Of("portico.web.pages").Count());
        Assert.Equal(1.5, Assert.Single(stage.Stage.Metrics.Of("portico.web.welcome.duration")).Value);
    }

    [Fact]
    public void Sessions_and_streams_are_counted_by_carrier_and_stay_when_they_have_ended()
    {
        using var stage = new WebStage();
        stage.Create(); // of which no frame comes
        var entry = stage.Create();
        Relay(stage, entry, streams: 3);
        Assert.Equal((1, 3, 3), Counted());

        stage.Done(EndAsync(entry));

        Assert.Equal((1, 3, 0), Counted());

        (double Sessions, double Opened, double Open) Counted() => (
            stage.Stage.Metrics.Observe("portico.web.begun", "carrier", "https"),
            stage.Stage.Metrics.Observe("portico.web.opened"),
            stage.Stage.Metrics.Observe("portico.web.streams"));
    }

    [Fact]
    public void Requests_that_come_again_are_counted_by_direction()
    {
        using var stage = new WebStage();
        var entry = stage.Create();
        Relay(stage, entry, streams: 1);

        stage.Done(entry.AskAsync(0, null, default));
        stage.Done(entry.PostAsync(2, null, Sequence(Open(9))));
        stage.Done(entry.PostAsync(2, null, Sequence(Open(9))));
        stage.Done(entry.PostAsync(2, null, Sequence(Open(9))));

        Assert.Equal(1, stage.Stage.Metrics.Sum("portico.web.repeated", "direction", "dc_to_client"));
        Assert.Equal(2, stage.Stage.Metrics.Sum("portico.web.repeated", "direction", "client_to_dc"));
    }

    private static async Task<bool> EndAsync(WebEntry entry)
    {
        await entry.EndAsync(WebEnd.Deleted);
        return true;
    }

    // Opens streams, the last of which is told five bytes.
    private static void Relay(WebStage stage, WebEntry entry, uint streams)
    {
        var frames = new List<byte[]>();
        for (var stream = 1u; stream <= streams; stream++)
        {
            ObfuscatedEnd.Open(Transport.Padded, 2, Stage.Secret, out var header);
            frames.AddRange([Open(stream), Data(stream, header)]);
        }

        stage.Done(entry.PostAsync(1, null, Sequence([.. frames])));
        stage.Stage.LatestDc().Say("hello"u8);
        Assert.Equal(WebAnswerKind.Batch, stage.Done(entry.AskAsync(0, null, default)).Kind);
    }
}
