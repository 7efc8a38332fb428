using Portico.Protocol.Secrets;
using Portico.Protocol.WebProxy;
using Xunit;

namespace Portico.Protocol.Tests.WebProxy;

public class CapabilityTests
{
    public static TheoryData<int> Capabilities => WebVectors.Indexes("capabilities");

    [Theory]
    [MemberData(nameof(Capabilities))]
    public void Capabilities_and_what_apps_open_are_the_recorded_ones(int index)
    {
        var item = WebVectors.Cases("capabilities")[index];
        var address = WebVectors.Address(item.Text("host"), item.Text("path"));
        var (kind, secret) = WebVectors.Key(item.Hex("key"));

        Assert.Equal(item.Text("capability"), Capability.Compute(address, kind, secret));
        Assert.Equal(item.Text("url"), Capability.BridgeUrl(address, kind, secret));
        Assert.Equal(item.Hex("mtproxy_key"), secret.Key);
    }

    [Fact]
    public void A_fake_TLS_secret_has_no_capability() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Capability.Compute(
            WebVectors.Address("a.example", ""), SecretKind.FakeTls, ProxySecret.Create(new byte[ProxySecret.Length])));
}
