using System.Text.Json;
using Portico.Protocol.WebProxy;
using Xunit;

namespace Portico.Protocol.Tests.WebProxy;

public class AppStreamsTests
{
    public static TheoryData<int> Cases => WebVectors.Indexes("app");

    [Theory]
    [MemberData(nameof(Cases))]
    public void Apps_take_and_refuse_what_was_recorded(int index)
    {
        var app = new AppStreams();
        foreach (var step in WebVectors.Cases("app")[index].GetProperty("steps").EnumerateArray())
            Take(app, step);
    }

    [Fact]
    public void Credit_from_the_relay_is_spent_and_comes_back()
    {
        var app = new AppStreams();
        Assert.Equal(WebProxyError.None, app.Accept(new(WebFrameType.Welcome, 0, 0), []));
        app.Open(1);

        Assert.Equal((int)RelayStreams.InitialWindow, app.Spend(1, int.MaxValue));
        Assert.Equal(0, app.Spend(1, 1));
        Assert.Equal(WebProxyError.None, app.Accept(new(WebFrameType.Window, 1, 4), [0, 0, 1, 0]));
        Assert.Equal(256, app.Spend(1, 1000));
        Assert.True(app.IsOpen(1));
        app.Close(1);
        Assert.False(app.IsOpen(1));
        Assert.Equal(0, app.Spend(1, 1));
        Assert.False(app.TryGiveCredit(1, 1));
    }

    [Fact]
    public void Accepting_allocates_nothing()
    {
        var app = new AppStreams();
        var payload = new byte[100];
        app.Accept(new(WebFrameType.Welcome, 0, 0), []);
        app.Open(1);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            Assert.True(app.Accept(new(WebFrameType.Data, 1, 100), payload) == WebProxyError.None);
            Assert.True(app.TryGiveCredit(1, 100));
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void Take(AppStreams app, JsonElement step)
    {
        if (step.TryGetProperty("opened", out var opened))
            app.Open(opened.GetUInt32());
        else if (step.TryGetProperty("closing", out var closing))
            app.Close(closing.GetUInt32());
        else if (step.TryGetProperty("read", out var read))
            Assert.True(app.TryGiveCredit(read[0].GetUInt32(), read[1].GetUInt32()));
        else if (step.TryGetProperty("many", out var many))
        {
            for (var stream = many[0].GetUInt32(); stream <= many[1].GetUInt32(); stream++)
            {
                app.Open(stream);
                app.Close(stream);
            }
        }
        else
        {
            var expected = step.GetProperty("expected");
            var error = Message(app, step.Body("relay"));
            Assert.Equal(expected[0].GetString() == "ok", error == WebProxyError.None);
            Assert.Equal(WebVectors.ErrorOf(expected[1].GetString()), error);
        }
    }

    // A message is looked at as a whole before its first frame counts.
    private static WebProxyError Message(AppStreams app, byte[] body)
    {
        var error = WebBatchReader.Check(WebVectors.Join(body));
        var reader = new WebFrameReader();
        reader.Append(body);
        while (error == WebProxyError.None && reader.TryRead(out var header, out var payload, out _) == FrameStatus.Ok)
            error = app.Accept(header, payload);
        return error;
    }
}
