using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Portico.Core.Telegram;
using Portico.Protocol.TelegramConfig;
using Xunit;

namespace Portico.Core.Tests.Telegram;

public class MiddleProxyConfigTests
{
    private const string V4 = "default 2;\nproxy_for 1 192.0.2.1:1;\nproxy_for 2 192.0.2.2:2;\n"
        + "proxy_for 2 192.0.2.22:2;\nproxy_for -2 192.0.2.3:3;\nproxy_for -4 192.0.2.4:4;\n";
    private const string V6 = "default 1;\nproxy_for 2 [2001:db8::2]:2;\nproxy_for 5 [2001:db8::5]:5;\n";

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(-2, -2)]
    [InlineData(-1, 1)]
    [InlineData(4, 2)]
    [InlineData(-4, -4)]
    [InlineData(5, 5)]
    [InlineData(0, 2)]
    [InlineData(9, 2)]
    [InlineData(-9, 2)]
    [InlineData(short.MaxValue, 2)]
    [InlineData(short.MinValue, 2)]
    public void A_client_goes_to_its_pool_or_to_that_without_the_sign_or_to_the_default(short wanted, short pool)
    {
        Assert.True(Config(V4, V6).TryResolve(wanted, out var dc));
        Assert.Equal(pool, dc);
    }

    [Theory]
    [InlineData("default 7;\nproxy_for 1 192.0.2.1:1;\nproxy_for 3 192.0.2.3:3;\n", 3)] // its default has no address
    [InlineData("proxy_for 1 192.0.2.1:1;\nproxy_for 3 192.0.2.3:3;\n", 3)] // it names none
    [InlineData("default 1;\nproxy_for 1 192.0.2.1:1;\nproxy_for 3 192.0.2.3:3;\n", 1)]
    public void Where_the_document_has_no_default_the_operators_counts(string text, short pool)
    {
        var config = Config(text, configuredDefault: 3);

        Assert.True(config.TryResolve(9, out var dc));
        Assert.Equal(pool, dc);
        Assert.Empty(config.Find(9, preferIPv6: false)); // a pool of a data centre that went is none of the default's
        Assert.False(config.Names(9));
    }

    [Fact]
    public void Without_any_default_an_unknown_id_leads_nowhere()
    {
        var config = Config("proxy_for 1 192.0.2.1:1;\n");

        Assert.False(config.TryResolve(9, out _));
        Assert.Empty(config.Find(9, preferIPv6: false));
        Assert.NotEmpty(config.Find(1, preferIPv6: false));
    }

    [Fact]
    public void Addresses_of_the_preferred_family_come_first()
    {
        var config = Config(V4, V6);

        Assert.Equal(["192.0.2.2:2", "192.0.2.22:2", "[2001:db8::2]:2"], Texts(config.Find(2, preferIPv6: false)));
        Assert.Equal(["[2001:db8::2]:2", "192.0.2.2:2", "192.0.2.22:2"], Texts(config.Find(2, preferIPv6: true)));
        Assert.Equal(["192.0.2.1:1"], Texts(config.Find(1, preferIPv6: true)));
        Assert.Equal(["[2001:db8::5]:5"], Texts(config.Find(5, preferIPv6: false)));
        Assert.Equal([-4, -2, 1, 2, 5], config.Dcs.Select(dc => (int)dc));
    }

    [Fact]
    public void Ids_that_came_went_or_moved_differ_and_order_does_not_matter()
    {
        var before = Config("proxy_for 1 192.0.2.1:1;\nproxy_for 2 192.0.2.2:2;\nproxy_for 2 192.0.2.3:2;\nproxy_for 3 192.0.2.4:2;\n");
        var after = Config("proxy_for 2 192.0.2.3:2;\nproxy_for 2 192.0.2.2:2;\nproxy_for 3 192.0.2.4:3;\nproxy_for 4 192.0.2.5:1;\n");

        Assert.Equal([1, 3, 4], after.DcsThatDiffer(before).Select(dc => (int)dc));
        Assert.Equal([1, 3, 4], before.DcsThatDiffer(after).Select(dc => (int)dc));
    }

    [Fact]
    public void A_directory_tells_of_replacements_that_lead_elsewhere_and_of_no_others()
    {
        var first = Config(V4);
        var directory = new MiddleProxyDirectory(first);
        var changes = new List<MiddleProxyConfigChange>();
        directory.Changed += changes.Add;

        var same = Config(V4);
        directory.Publish(same);
        Assert.Same(same, directory.Current);
        Assert.Empty(changes);

        var other = Config(V4, V6);
        directory.Publish(other);
        Assert.Equal(new MiddleProxyConfigChange(same, other), Assert.Single(changes));

        directory.Publish(Config(V4, V6, secretByte: 2));
        directory.Publish(new MiddleProxyConfig(Secret(2), [ProxyConfigDocument.Parse(V4), ProxyConfigDocument.Parse(V6)], 0)
        {
            ExternalV4 = IPAddress.Loopback,
        });
        Assert.Equal(3, changes.Count);
    }

    [Fact]
    public void The_embedded_values_are_whole()
    {
        short[] ids = [-203, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 203];
        Assert.Equal(ids, EmbeddedConfig.V4.Dcs.Order());
        Assert.Equal(ids, EmbeddedConfig.V6.Dcs.Order());
        Assert.All(ids, id => Assert.All(
            EmbeddedConfig.V4.Endpoints(id), endpoint => Assert.Equal(AddressFamily.InterNetwork, endpoint.AddressFamily)));
        Assert.All(ids, id => Assert.All(
            EmbeddedConfig.V6.Endpoints(id), endpoint => Assert.Equal(AddressFamily.InterNetworkV6, endpoint.AddressFamily)));
        // The digest of the secret in the recorded key derivation of another proxy (middle_proxy_keys.json).
        Assert.Equal(
            "dc977517e8a064aae2d26d6a6d9dac6ddeff22e6e19edff87c8f6417d3454c0f",
            Convert.ToHexStringLower(SHA256.HashData(EmbeddedConfig.Secret.Bytes)));
    }

    private static MiddleProxyConfig Config(string v4, string v6 = "", short configuredDefault = 0, byte secretByte = 1) =>
        new(Secret(secretByte), [ProxyConfigDocument.Parse(v4), ProxyConfigDocument.Parse(v6)], configuredDefault);

    private static MiddleProxySecret Secret(byte filler) =>
        MiddleProxySecret.TryCreate(Enumerable.Repeat(filler, 128).ToArray(), out var secret)
            ? secret
            : throw new InvalidOperationException();

    private static IEnumerable<string> Texts(IEnumerable<IPEndPoint> endpoints) => endpoints.Select(endpoint => endpoint.ToString());
}
