using System.Buffers;
using Portico.Protocol.Obfuscation;
using Portico.Protocol.WebProxy;
using Xunit;

namespace Portico.Protocol.Tests.WebProxy;

/// <summary>What is inside a stream: an ordinary client connection with the secret of the WEB proxy.</summary>
public class InnerStreamTests
{
    public static TheoryData<int> Cases => WebVectors.Indexes("inner_streams");

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_stream_is_the_connection_of_a_client_with_the_same_secret(int index)
    {
        var item = WebVectors.Cases("inner_streams")[index];
        var (kind, secret) = WebVectors.Key(item.Hex("web_key"));
        var session = new RelayStreams(8);
        var batch = new RelayBatch();
        var arrived = new List<byte>();
        foreach (var frame in item.GetProperty("uplink_frames").EnumerateArray())
        {
            Assert.True(session.TryAccept(WebVectors.Join(Vectors.Hex(frame.GetString()!)), null, batch, out var error), error.Tag());
            foreach (var one in batch.Events)
                if (one.Kind == RelayEventKind.Data && one.Stream == item.UInt32("stream"))
                    arrived.AddRange(one.Payload.ToArray());
        }

        var bytes = arrived.ToArray();
        Assert.Equal(item.Hex("client_bytes"), bytes);
        Assert.Equal(
            item.Text("capability"), Capability.Compute(WebVectors.Address(item.Text("host"), item.Text("path")), kind, secret));
        Assert.True(ObfuscatedHeader.TryRead(bytes.AsSpan(0, 64), secret, out var streams, out var transport, out var dc));
        Assert.Equal((item.ReadTransport("protocol"), item.GetProperty("dc").GetInt16()), (transport, dc));

        var packet = bytes.AsSpan(64);
        streams.ClientToServer.Transform(packet);
        Assert.Equal(item.Hex("packet_to_proxy"), packet.ToArray());

        var answer = item.Hex("packet_to_client");
        streams.ServerToClient.Transform(answer);
        Assert.Equal(item.Hex("proxy_bytes"), answer);
        Assert.Equal(answer.Length, session.Spend(item.UInt32("stream"), answer.Length));
        Assert.Equal(item.Hex("downlink_frame"), WebVectors.Frame(WebFrameType.Data, item.UInt32("stream"), answer));
    }
}
