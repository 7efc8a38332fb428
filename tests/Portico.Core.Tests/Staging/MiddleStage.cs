using System.Net;
using Portico.Core.Options;
using Portico.Core.Telegram;
using Portico.Protocol;
using Portico.Protocol.Framing;
using Portico.Protocol.TelegramConfig;
using Portico.TestKit.Memory;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Staging;

/// <summary>
/// A stage whose clients go through middle proxies, with these in the test's hands.
/// Links are opened when a client wants one.
/// </summary>
internal sealed class MiddleStage : IDisposable
{
    public MiddleStage(int? seed = null, Func<ProxySettings, ProxySettings>? change = null, bool isSilent = false)
    {
        ProxySettings Change(ProxySettings settings)
        {
            settings = settings with
            {
                Mode = BackendMode.Middle,
                Middle = settings.Middle with { InitialConnections = 0, ExternalV4 = StageLink.External },
            };
            return change?.Invoke(settings) ?? settings;
        }

        Stage = new Stage(ClientProtocols.FakeTls | ClientProtocols.Secure | ClientProtocols.Classic, seed, Change, isSilent);
        foreach (var address in EmbeddedConfig.V6.Dcs.SelectMany(dc => EmbeddedConfig.V6.Endpoints(dc)))
            Loop.Answer(address, ConnectAnswer.Refuse);
        Run();
    }

    public Stage Stage { get; }

    public MemoryLoop Loop => Stage.Loop;

    public MetricProbe Metrics => Stage.Metrics;

    /// <summary>One per attempt of the proxy to connect, in order.</summary>
    public List<StageLink> Links { get; } = [];

    public IEnumerable<StageLink> OpenLinks => Links.Where(link => link.IsOpen && link.IsReady);

    /// <summary>Applied to each link before it says anything.</summary>
    public Action<StageLink>? OnLink { get; set; }

    /// <summary>From now on DC 2 has middle proxies at these addresses, and no other data centre has any.</summary>
    public void Publish(params IPEndPoint[] addresses) => PublishFor(2, addresses);

    /// <summary>The list names this data centre alone.</summary>
    public void PublishFor(short dc, params IPEndPoint[] addresses)
    {
        var list = new ProxyConfigDocument(dc, addresses.Select(address => (dc, address)));
        Stage.Proxy.Services.MiddleProxies.Publish(
            new MiddleProxyConfig(EmbeddedConfig.Secret, [list], dc) { ExternalV4 = StageLink.External });
        Run();
    }

    /// <summary>A client with its header sent; whether a link takes it depends on the test.</summary>
    public MiddleClient Enter(ClientTraits? traits = null)
    {
        traits ??= new ClientTraits();
        var client = new MiddleClient(Stage.Call(traits), traits.Transport);
        client.Peer.Send([.. client.Inner.Hello, .. client.Inner.Header]);
        Run();
        return client;
    }

    /// <summary>A client that has said one packet, and the request that it became.</summary>
    public (MiddleClient Client, StageLink Link, long Id) Introduce(ClientTraits? traits = null)
    {
        var client = Enter(traits);
        client.Send(new byte[8]);
        Run();
        var link = Links.Last(link => link.Requests.Count > 0);
        return (client, link, link.Requests[^1].Id);
    }

    /// <summary>As <see cref="Introduce"/>, and the packet was answered: the client is at rest.</summary>
    public (MiddleClient Client, StageLink Link, long Id) Rest(ClientTraits? traits = null)
    {
        var (client, link, id) = Introduce(traits);
        link.Answer(id, new byte[8]);
        Run();
        Assert.Single(client.Packets);
        return (client, link, id);
    }

    /// <summary>Until neither the proxy nor a middle proxy has anything to do at this time of the clock.</summary>
    public void Run()
    {
        do Stage.Run();
        while (Work());
    }

    public void Advance(double seconds)
    {
        for (var left = Math.Round(seconds * 10); left > 0; left--)
        {
            Stage.Advance(0.1);
            Run();
        }
    }

    /// <summary>All sessions are over for these reasons; no client, deadline or buffer of theirs is left on any link.</summary>
    public void AssertClosed(params string[] reasons)
    {
        Assert.Equal(reasons, Metrics.Closed);
        Assert.Equal(0, Stage.Proxy.SessionCount);
        AssertNothingHeld();
        Assert.Equal(0, Metrics.Observe("portico.dc.clients"));
    }

    /// <summary>Nothing is half done: no buffer is out.</summary>
    public void AssertNothingHeld() => Assert.Equal(0, Loop.Buffers.Rented);

    public double Migrations(string result) => Metrics.Sum("portico.migrations", "result", result);

    public void Dispose() => Stage.Dispose();

    private bool Work()
    {
        for (var next = Links.Count; next < Loop.Connects.Count; next++)
        {
            var link = new StageLink(Loop.Connects[next]);
            Links.Add(link);
            OnLink?.Invoke(link);
        }

        var worked = false;
        foreach (var link in Links) worked |= link.Work();
        return worked;
    }
}

/// <summary>A client of the stage that speaks in packets.</summary>
internal sealed class MiddleClient(StageClient inner, Transport transport)
{
    private readonly List<byte[]> _packets = [];
    private int _read;

    public StageClient Inner => inner;

    public MemoryPeer Peer => inner.Peer;

    /// <summary>The proxy has said goodbye.</summary>
    public bool IsEnded => Peer.IsReleased || Peer.End != PeerEnd.None;

    /// <summary>Everything that came, in order. Bytes that are no packet fail the test.</summary>
    public IReadOnlyList<byte[]> Packets
    {
        get
        {
            var text = inner.Text;
            while (true)
            {
                var status = FrameCodec.TryReadFromServer(transport, text.AsSpan(_read), out var frame, out var reason);
                if (status == FrameStatus.Invalid)
                    throw new InvalidOperationException($"{reason} from the proxy");
                if (status != FrameStatus.Ok) return _packets;
                _packets.Add(text.AsSpan(_read + frame.PayloadOffset, frame.PayloadLength).ToArray());
                _read += frame.Consumed;
            }
        }
    }

    public void Send(ReadOnlySpan<byte> packet, bool quickAck = false) => Peer.Send(Encode(packet, quickAck));

    public byte[] Encode(ReadOnlySpan<byte> packet, bool quickAck = false)
    {
        Span<byte> header = stackalloc byte[FrameCodec.LongestHeader];
        var length = FrameCodec.WriteHeader(transport, header, packet.Length, 0, quickAck);
        return inner.Encode([.. header[..length], .. packet]);
    }
}
