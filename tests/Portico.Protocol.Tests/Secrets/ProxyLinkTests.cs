using Portico.Protocol.Secrets;
using Xunit;

namespace Portico.Protocol.Tests.Secrets;

public class ProxyLinkTests
{
    private const string File = "secrets_links.json";
    private const string Key = "6c0fc115f28307e3510041fffcaef3bc";

    public static TheoryData<int> Cases => Vectors.Indexes(File, "links");

    [Theory]
    [MemberData(nameof(Cases))]
    public void Links_are_printed_as_recorded(int index)
    {
        var item = Vectors.Cases(File, "links")[index];
        var (server, port, secret) = (item.Text("server"), item.GetProperty("port").GetInt32(), item.Text("secret"));

        Assert.Equal(item.Text("tg"), ProxyLink.Tg(server, port, secret));
        Assert.Equal(item.Text("tme"), ProxyLink.TMe(server, port, secret));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Recorded_links_are_read(int index)
    {
        var item = Vectors.Cases(File, "links")[index];
        Assert.True(SecretText.TryParse(item.Text("secret"), out var expected, out _));

        foreach (var form in (string[])["tg", "tme"])
        {
            Assert.True(ProxyLink.TryParse(item.Text(form), out var host, out var port, out var secret, out var error), error);
            Assert.Equal((item.Text("server"), item.GetProperty("port").GetInt32(), expected), (host, port, secret));
        }
    }

    [Theory]
    [InlineData("tg://proxy?server=[2001:db8::1]&port=443&secret=" + Key, "2001:db8::1")]
    [InlineData("tg://proxy?server=2001%3Adb8%3A%3A1&port=443&secret=" + Key, "2001:db8::1")]
    [InlineData("tg:proxy?port=443&secret=" + Key + "&server=a.example", "a.example")]
    [InlineData("t.me/proxy?server=a.example&port=443&secret=" + Key + "#x", "a.example")]
    [InlineData("HTTP://Telegram.me/proxy?server=a.example&port=443&secret=" + Key, "a.example")]
    [InlineData("https://telegram.dog/proxy?server=192.0.2.1&port=443&secret=bA%2FBFfKDB%2BNRAEH%2F%2FK7zvA%3D%3D", "192.0.2.1")]
    [InlineData(" tg://proxy?server=a.example&port=443&secret=bA/BFfKDB+NRAEH//K7zvA==\n", "a.example")]
    [InlineData("tg://proxy?serverx=b&server=a.example&server=b.example&port=443&secret=" + Key, "a.example")]
    [InlineData("https://t.me/proxy/?server=a.example&port=443&secret=" + Key, "a.example")]
    [InlineData("tg://proxy/?server=a.example&port=443&secret=" + Key, "a.example")]
    [InlineData("https://www.t.me/proxy?server=a.example&port=443&secret=" + Key, "a.example")]
    [InlineData("www.telegram.me/proxy/?server=a.example&port=443&secret=" + Key, "a.example")]
    [InlineData("https://t.me/proxy?server=a.example&amp;port=443&amp;secret=" + Key, "a.example")]
    [InlineData("tg://proxy?port=443&AMP;secret=" + Key + "&amp;server=a.example", "a.example")]
    public void Links_in_other_spellings_are_read(string link, string expectedHost)
    {
        Assert.True(ProxyLink.TryParse(link, out var host, out var port, out var secret, out var error), error);

        Assert.Equal((expectedHost, 443), (host, port));
        Assert.Equal(Vectors.Hex(Key), secret.Secret.Key);
    }

    [Theory]
    [InlineData("", "not a proxy link")]
    [InlineData("tg://socks?server=a&port=1&user=b", "not a proxy link")]
    [InlineData("https://example.com/proxy?server=a&port=1&secret=" + Key, "not a proxy link")]
    [InlineData("https://t.me/proxy//?server=a&port=1&secret=" + Key, "not a proxy link")]
    [InlineData("https://www.example.com/proxy?server=a&port=1&secret=" + Key, "not a proxy link")]
    [InlineData("tg://proxy", "not a proxy link")]
    [InlineData("tg://proxy?", "server")]
    [InlineData("tg://proxy?server=a b&port=1&secret=" + Key, "server")]
    [InlineData("tg://proxy?server=a&secret=" + Key, "port")]
    [InlineData("tg://proxy?server=a&port=0&secret=" + Key, "port")]
    [InlineData("tg://proxy?server=a&port=65536&secret=" + Key, "port")]
    [InlineData("tg://proxy?server=a&port=-1&secret=" + Key, "port")]
    [InlineData("tg://proxy?server=a&port=1", "secret is empty")]
    [InlineData("tg://proxy?server=a&port=1&secret=" + Key + "0%zz", "position 34")]
    public void A_refusal_names_the_part_that_is_wrong(string link, string expected)
    {
        Assert.False(ProxyLink.TryParse(link, out _, out _, out var secret, out var error));

        Assert.Null(secret);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.DoesNotContain(Key[..8], error, StringComparison.Ordinal);
    }

    [Fact]
    public void Brackets_around_an_address_are_left_out_of_links()
    {
        Assert.Equal($"tg://proxy?server=2001:db8::1&port=443&secret={Key}", ProxyLink.Tg("[2001:db8::1]", 443, Key));
    }
}
