using Portico.IntegrationTests.Commands;
using Portico.IntegrationTests.Hostile;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Web;
using Portico.TestKit.Wires;
using Xunit;
using Xunit.Abstractions;

namespace Portico.IntegrationTests.Web;

/// <summary>How the executable with a WEB proxy ends. An app has two seconds to hear it, so nothing else is run meanwhile.</summary>
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
[Collection(nameof(Siege))]
public sealed class WebFarewellTests(ITestOutputHelper output)
{
    public static TheoryData<WebCarrier> Carriers => [.. Enum.GetValues<WebCarrier>()];

    [Theory]
    [MemberData(nameof(Carriers))]
    public async Task SIGTERM_in_the_middle_of_a_transfer_is_whole_frames_and_BYE(WebCarrier kind)
    {
        await using var proxy = await WebProcess.StartAsync(isTls: true);
        using var app = proxy.Client();
        await app.EnterAsync();
        using var carrier = PagelessCarrier.Of(kind, app);
        // More than a stream's first window: it stands still in the middle of a frame of Telegram's when the signal comes.
        await carrier.SendAsync(1, AppFrame.Open(1), AppFrame.Data(1, proxy.Download()));
        var (bytes, types) = (0, new List<WebFrameType>());
        var isTold = false;
        var farewell = "";
        // What belongs to no stream has a lane of its own; with a socket for each stream it has none, and all are closed in good order.
        using var ofNone = PagelessCarrier.Of(kind, app);
        var bye = kind == WebCarrier.HttpsLanes ? ofNone.ReceiveAsync(0) : null;
        while (farewell.Length == 0)
        {
            // Whoever is given half a frame throws here.
            if (await TryReceiveAsync() is not { } frames) break;
            bytes += frames.Where(frame => frame.Type == WebFrameType.Data).Sum(frame => frame.Payload.Length);
            types.AddRange(frames.Select(frame => frame.Type));
            if (isTold || bytes < 500_000) continue;
            isTold = true;
            proxy.Signal(Signals.Terminate);
        }

        var (code, _, errors) = await proxy.EndAsync();
        Assert.Equal(0, code);
        Assert.True(isTold);
        Assert.DoesNotContain("fail: ", errors, StringComparison.Ordinal);
        output.WriteLine($"{kind}: {bytes} bytes, {types.Count} frames, the last {types[^1]}, then {farewell}");
        Assert.Equal(kind is WebCarrier.Https or WebCarrier.WebSocket ? 1 : 0, types.Count(type => type == WebFrameType.Bye));
        if (kind is WebCarrier.Https or WebCarrier.WebSocket)
            Assert.Equal(WebFrameType.Bye, types[^1]);
        if (bye is not null) Assert.Equal(WebFrameType.Bye, Assert.Single((await bye)!).Type);

        async Task<IReadOnlyList<AppFrame>?> TryReceiveAsync()
        {
            try
            {
                return await carrier.ReceiveAsync(1);
            }
            catch (Exception error) when (isTold && error is PeerSurpriseException { Message: "404, not 200" } or HttpRequestException)
            {
                farewell = error.Message;
                return null;
            }
        }
    }
}
