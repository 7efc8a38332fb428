using System.Net.Sockets;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Web;
using Portico.TestKit.Wires;
using Portico.Web.Tests.Staging;

namespace Portico.Web.Tests.Page;

/// <summary>
/// A port on loopback whose connections are streams of an app with the page open, so that a client of Telegram's can be tried through it.
/// Of what a client sends, it sends at most what OPEN allows.
/// </summary>
internal sealed class BridgePort : LoopbackPort
{
    private readonly BridgeApp _app;

    public BridgePort(BridgeApp app)
    {
        _app = app;
        Open();
    }

    protected override async Task CarryAsync(Socket client, uint stream)
    {
        using var _ = client;
        try
        {
            await _app.SendAsync(AppFrame.Open(stream));
            await await Task.WhenAny(UpAsync(client, stream), DownAsync(client, stream));
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException)
        {
            // the client has left, or the test is over
        }
    }

    private async Task UpAsync(Socket client, uint stream)
    {
        var (buffer, left) = (new byte[64 * 1024], (long)RelayStreams.InitialWindow);
        while (await client.ReceiveAsync(buffer, End) is var count and > 0)
        {
            left -= count;
            if (left < 0)
                throw new PeerSurpriseException("a client that sends more than a stream's first window");
            await _app.SendAsync(AppFrame.Data(stream, buffer.AsSpan(0, count)));
        }

        await _app.SendAsync(AppFrame.Close(stream));
    }

    private async Task DownAsync(Socket client, uint stream)
    {
        while (await _app.ReceiveAsync(stream).WaitAsync(End) is var frame && frame.Type != WebFrameType.Close)
        {
            if (frame.Type == WebFrameType.Data) await client.SendAsync(frame.Payload, End);
        }
    }
}
