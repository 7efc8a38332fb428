using System.Net;
using System.Text.Json;
using Portico.Protocol.Crypto;
using Portico.Protocol.MiddleProxy;
using Portico.Protocol.TelegramConfig;
using Xunit;

namespace Portico.Protocol.Tests.MiddleProxy;

public class MiddleProxyKeysTests
{
    private const string File = "middle_proxy_keys.json";

    private static readonly IPEndPoint V4 = new(IPAddress.Parse("203.0.113.10"), 40001);
    private static readonly IPEndPoint V6 = new(IPAddress.Parse("2001:db8::1"), 40001);

    public static TheoryData<int> Recorded => Vectors.Indexes(File, "cases");

    [Theory]
    [MemberData(nameof(Recorded))]
    public void Keys_of_both_directions_are_those_recorded(int index)
    {
        var item = Vectors.Cases(File, "cases")[index];
        var (server, client) = (Endpoint(item, "server"), Endpoint(item, "client"));

        Derive(item, server, client, out var proxyToServer, out var serverToProxy);

        AssertCipher(item.Hex("proxy_to_server_key"), item.Hex("proxy_to_server_iv"), proxyToServer);
        AssertCipher(item.Hex("server_to_proxy_key"), item.Hex("server_to_proxy_iv"), serverToProxy);
    }

    [Theory]
    [MemberData(nameof(Recorded))]
    public void An_IPv4_address_mapped_into_IPv6_gives_the_keys_of_the_IPv4_address(int index)
    {
        var item = Vectors.Cases(File, "cases")[index];
        var (server, client) = (Endpoint(item, "server"), Endpoint(item, "client"));

        Derive(
            item, new IPEndPoint(server.Address.MapToIPv6(), server.Port),
            new IPEndPoint(client.Address.MapToIPv6(), client.Port), out var proxyToServer, out _);

        AssertCipher(item.Hex("proxy_to_server_key"), item.Hex("proxy_to_server_iv"), proxyToServer);
    }

    [Theory]
    [MemberData(nameof(Recorded))]
    public void Each_secret_says_which_one_it_is_and_never_what_it_is(int index)
    {
        var item = Vectors.Cases(File, "cases")[index];
        var nonce = new byte[RpcNonce.Length];
        RpcNonce.Write(nonce, Secret(item).KeySelector, 0, new byte[RpcNonce.NonceLength]);

        Assert.Equal(item.Hex("key_selector"), nonce[4..8]);
        Assert.DoesNotContain(item.Text("key_selector"), Secret(item).ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Addresses_of_two_families_and_short_nonces_are_the_callers_mistake()
    {
        var secret = Secret(Vectors.Cases(File, "cases")[0]);

        Assert.Throws<ArgumentException>(() => MiddleProxyKeys.Derive(new byte[16], new byte[16], 0, V4, V6, secret, out _, out _));
        Assert.Throws<ArgumentException>(() => MiddleProxyKeys.Derive(new byte[16], new byte[16], 0, V6, V4, secret, out _, out _));
        Assert.Throws<ArgumentException>(() => MiddleProxyKeys.Derive(new byte[15], new byte[16], 0, V4, V4, secret, out _, out _));
        Assert.Throws<ArgumentException>(() => MiddleProxyKeys.Derive(new byte[16], new byte[17], 0, V4, V4, secret, out _, out _));
    }

    private static void Derive(
        JsonElement item, IPEndPoint server, IPEndPoint client,
        out MiddleProxyCipher proxyToServer, out MiddleProxyCipher serverToProxy) =>
        MiddleProxyKeys.Derive(
            Segmentation.Embed(item.Hex("server_nonce")).Span,
            Segmentation.Embed(item.Hex("client_nonce")).Span,
            item.GetProperty("client_timestamp").GetUInt32(),
            server,
            client,
            Secret(item),
            out proxyToServer,
            out serverToProxy);

    private static IPEndPoint Endpoint(JsonElement item, string who) =>
        new(IPAddress.Parse(item.Text(who + "_ip")), item.GetProperty(who + "_port").GetInt32());

    private static MiddleProxySecret Secret(JsonElement item)
    {
        Assert.True(MiddleProxySecret.TryCreate(item.Hex("proxy_secret"), out var secret));
        return secret;
    }

    /// <summary>A cipher shows neither key nor iv: three blocks depend on all of both.</summary>
    internal static void AssertCipher(byte[] key, byte[] iv, MiddleProxyCipher cipher)
    {
        byte[] expected = [.. Enumerable.Range(0, 48).Select(value => (byte)value)], actual = [.. expected];
        AesCbc256.Encrypt(key, iv, expected);
        cipher.Encrypt(actual);
        Assert.Equal(expected, actual);
        Assert.Equal("[key]", cipher.ToString());
    }
}
