using Portico.Core.Tests.Staging;
using Portico.Core.Users;
using Portico.Core.Web;
using Portico.Protocol;
using Portico.Protocol.Secrets;
using Portico.Protocol.WebProxy;
using Xunit;
using static Portico.Core.Tests.Web.WebStage;
using static Portico.TestKit.Web.AppFrame;

namespace Portico.Core.Tests.Web;

public sealed class StreamTests
{
    private static readonly ProxySecret OtherSecret = ProxySecret.Create("another secret.."u8);

    [Theory]
    [InlineData(Transport.Padded, true, true)]
    [InlineData(Transport.Intermediate, true, false)]
    [InlineData(Transport.Abridged, true, false)]
    [InlineData(Transport.Padded, false, true)]
    [InlineData(Transport.Intermediate, false, true)]
    [InlineData(Transport.Abridged, false, true)]
    public void The_form_of_the_link_says_how_streams_may_be_framed(Transport transport, bool isSecure, bool isTaken)
    {
        using var stage = new WebStage();
        var entry = stage.Create(isSecure ? stage.Secure : stage.Classic);
        ObfuscatedEnd.Open(transport, 2, Stage.Secret, out var header);

        stage.Done(entry.PostAsync(1, null, Sequence(Open(1), Data(1, header))));

        if (isTaken) Assert.True(stage.Stage.LatestDc().IsGreeted);
        else AssertClosed(stage, entry, "disabled_protocol (client)");
    }

    [Fact]
    public void The_secret_of_another_user_opens_no_stream()
    {
        using var stage = new WebStage(settings => settings with
        {
            Listeners =
            [
                settings.Listeners[0] with
                {
                    Credentials = [new Credential("default", Stage.Secret), new Credential("other", OtherSecret)],
                },
            ],
        });
        var entry = stage.Create();
        ObfuscatedEnd.Open(Transport.Padded, 2, OtherSecret, out var header);

        stage.Done(entry.PostAsync(1, null, Sequence(Open(1), Data(1, header))));

        AssertClosed(stage, entry, "unknown_protocol (client)");
    }

    [Fact]
    public void A_header_that_was_seen_before_opens_no_stream()
    {
        using var stage = new WebStage();
        var entry = stage.Create();
        ObfuscatedEnd.Open(Transport.Padded, 2, Stage.Secret, out var header);
        stage.Done(entry.PostAsync(1, null, Sequence(Open(2), Data(2, header))));

        stage.Done(entry.PostAsync(2, null, Sequence(Open(1), Data(1, header))));

        Assert.Equal(WebFrameType.Close, Frames(stage.Done(entry.AskAsync(0, null, default)).Batch)[^1].Type);
        Assert.Contains("replay", stage.Stage.Metrics.Closed.Last(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_app_s_CLOSE_ends_a_stream_at_once_and_nothing_more_is_said_of_it()
    {
        using var stage = new WebStage();
        var entry = stage.Create();
        ObfuscatedEnd.Open(Transport.Padded, 2, Stage.Secret, out var header);
        stage.Done(entry.PostAsync(1, null, Sequence(Open(1), Data(1, header))));
        var dc = stage.Stage.LatestDc();
        dc.Say("never read"u8);
        stage.Stage.Run();

        stage.Done(entry.PostAsync(2, null, Sequence(Close(1))));
        var poll = entry.AskAsync(0, null, default);
        stage.Waits(poll);

        stage.Stage.AssertEnded("client_closed (client)");
        Assert.True(stage.Stage.Loop.Connects[^1].IsReleased);
        Assert.Equal(0, entry.Session.Streams);
        Assert.Equal(0, entry.Session.Waiting);
    }

    [Fact]
    public void The_end_of_the_data_centre_is_CLOSE_behind_its_last_byte()
    {
        using var stage = new WebStage();
        var entry = stage.Create();
        ObfuscatedEnd.Open(Transport.Padded, 2, Stage.Secret, out var header);
        stage.Done(entry.PostAsync(1, null, Sequence(Open(1), Data(1, header))));
        var dc = stage.Stage.LatestDc();
        dc.Say(new byte[100_000]);
        dc.Peer.Finish();
        stage.Stage.Run();

        var frames = Frames(stage.Done(entry.AskAsync(0, null, default)).Batch);
        stage.Stage.Run();

        Assert.Equal(100_000, frames.Where(frame => frame.Type == WebFrameType.Data).Sum(frame => frame.Payload.Length));
        Assert.Equal(WebFrameType.Close, frames[^1].Type);
        stage.Stage.AssertEnded("dc_closed (telegram)");
        Assert.Equal(WebAnswerKind.Done, stage.Done(entry.PostAsync(2, null, Sequence(Window(1, 5)))).Kind);
    }

    [Fact]
    public void A_stream_without_a_byte_ends_when_it_has_idled_and_one_with_half_a_header_soon()
    {
        using var stage = new WebStage();
        var entry = stage.Create();
        var body = Sequence(Open(1), Open(2), Data(2, [1, 2, 3]));
        stage.Done(entry.PostAsync(1, null, body));

        stage.Stage.Advance(stage.Stage.Proxy.Settings.Timeouts.Header.TotalSeconds + 0.1);
        stage.Stage.AssertEnded("header_timeout (client)");
        stage.Done(entry.PostAsync(1, null, body)); // once more, which keeps the session
        for (var waited = 0; waited < stage.Stage.Proxy.Settings.Timeouts.Idle.TotalSeconds; waited += 60)
        {
            stage.Stage.Advance(60);
            stage.Done(entry.PostAsync(1, null, body));
        }

        stage.Stage.AssertEnded("header_timeout (client)", "idle_timeout (client)");
    }

    [Fact]
    public void A_stream_beyond_the_limit_is_closed_and_the_session_goes_on()
    {
        using var stage = new WebStage();
        var entry = stage.Create();
        stage.Done(entry.PostAsync(1, null, Sequence([.. Enumerable.Range(1, 256).Select(id => Open((uint)id))])));

        stage.Done(entry.PostAsync(2, null, Sequence(Open(257))));

        var frame = Assert.Single(Frames(stage.Done(entry.AskAsync(0, null, default)).Batch));
        Assert.Equal((WebFrameType.Close, 257u), (frame.Type, frame.Stream));
        Assert.Equal(256, entry.Session.Streams);
    }

    [Fact]
    public void Streams_opened_and_closed_without_end_are_slowed_down_by_CLOSE()
    {
        using var stage = new WebStage();
        var entry = stage.Create();

        for (var i = 1u; i <= 300; i++) stage.Done(entry.PostAsync(i, null, Sequence(Open(i), Close(i))));
        stage.Done(entry.PostAsync(301, null, Sequence(Open(301))));

        Assert.Equal(0, entry.Session.Streams);
        Assert.Null(entry.Session.Ended);
        stage.Stage.Advance(1);
        stage.Done(entry.PostAsync(302, null, Sequence(Open(302))));
        Assert.Equal(1, entry.Session.Streams);
    }

    [Fact]
    public void Streams_count_as_clients_of_their_user_from_the_app_s_address()
    {
        using var stage = new WebStage();
        // Others, by fake TLS for example, have all but one.
        stage.Stage.Listener.Limit.Most = 1;
        var entry = stage.Create();
        ObfuscatedEnd.Open(Transport.Padded, 2, Stage.Secret, out var header);
        stage.Done(entry.PostAsync(1, null, Sequence(Open(1), Data(1, header))));
        ObfuscatedEnd.Open(Transport.Padded, 2, Stage.Secret, out var second);

        stage.Done(entry.PostAsync(2, null, Sequence(Open(2), Data(2, second))));

        AssertClosed(stage, entry, "connection_limit (operator)");
        Assert.Equal(1, stage.Stage.Listener.Limit.Count);
    }

    private static void AssertClosed(WebStage stage, WebEntry entry, string reason)
    {
        stage.Stage.AssertEnded(reason);
        var frames = Frames(stage.Done(entry.AskAsync(0, null, default)).Batch);
        Assert.Equal(WebFrameType.Close, frames[^1].Type);
        Assert.Null(entry.Session.Ended);
    }
}
