using Portico.Core.Cover.Learning;
using Portico.Core.Tests.Staging;
using Portico.TestKit.Clients;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Cover.Learning;

public sealed class LearnerHellosTests : IDisposable
{
    private readonly Stage _stage = new();

    public void Dispose()
    {
        _stage.AssertNoFault();
        _stage.Dispose();
    }

    [Fact]
    public void A_hello_is_known_while_it_is_under_way_and_only_it()
    {
        var hellos = new LearnerHellos();
        byte[] one = HelloBytes.Create(Stage.Secret, "example.com", 1), other = HelloBytes.Create(Stage.Secret, "example.com", 2);
        var entry = hellos.Add(one);

        Assert.False(hellos.Recognize(other));
        Assert.False(hellos.Recognize(one.AsSpan(0, 42)));
        Assert.False(hellos.Recognize([]));
        Assert.False(entry.CameBack);
        Assert.True(hellos.Recognize(one.AsSpan(0, 43)));
        Assert.True(entry.CameBack);

        entry.Dispose();
        Assert.False(hellos.Recognize(one));
    }

    [Fact]
    public void The_learners_own_hello_is_no_stranger_to_a_listener()
    {
        var stray = HelloBytes.Create(Stage.WrongSecret, "example.com", (uint)_stage.Time.GetUtcNow().ToUnixTimeSeconds());
        var entry = _stage.Proxy.Services.LearnerHellos.Add(stray);
        var peer = _stage.CallRaw();
        peer.Send(stray);
        _stage.Run();

        Assert.True(entry.CameBack);
        Assert.Equal(PeerEnd.Fin, peer.End);
        Assert.Empty(peer.Take());
        Assert.Equal(0, _stage.Metrics.Sum("portico.protocol.error", "reason", "tls_invalid_digest"));
    }
}
