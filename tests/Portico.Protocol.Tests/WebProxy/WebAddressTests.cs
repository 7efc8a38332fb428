using Portico.Protocol.WebProxy;
using Xunit;

namespace Portico.Protocol.Tests.WebProxy;

public class WebAddressTests
{
    public static TheoryData<int> Hosts => WebVectors.Indexes("hosts");

    public static TheoryData<int> Paths => WebVectors.Indexes("paths");

    [Theory]
    [MemberData(nameof(Hosts))]
    public void Hosts_are_stored_as_apps_store_them_and_configured_in_that_form_only(int index)
    {
        var item = WebVectors.Cases("hosts")[index];
        var typed = item.Text("text");

        Assert.Equal(item.TextOrNull("app"), WebHost.TryRead(typed, out var stored, out var error) ? stored : null);
        Assert.Equal(stored.Length == 0, error.Length > 0);
        Assert.Equal(item.GetProperty("server").GetBoolean(), WebAddress.TryCreate(typed, "", out var address, out error));
        Assert.Equal(address is null, error.Length > 0);
        if (address is null && stored.Length > 0)
            Assert.Contains($" {stored}.", error, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Paths_are_stored_as_apps_store_them_and_configured_in_that_form_only(int index)
    {
        var item = WebVectors.Cases("paths")[index];
        var typed = item.Text("text");

        Assert.Equal(item.TextOrNull("app"), WebPath.TryRead(typed, out var stored, out var error) ? stored : null);
        Assert.Equal(item.Optional("app") is null, error.Length > 0);
        Assert.Equal(item.GetProperty("server").GetBoolean(), WebAddress.TryCreate("a.example", typed, out var address, out error));
        Assert.Equal(address is null, error.Length > 0);
        if (address is null && stored.Length > 0)
            Assert.Contains($" {stored}.", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bücher.example", "xn--bcher-kva.example")]
    [InlineData("ПРИМЕР.рф", "xn--e1afmkfd.xn--p1ai")]
    [InlineData("例え.テスト", "xn--r8jz45g.xn--zckzah")]
    [InlineData("straße.example", "xn-- form")]
    [InlineData("ς.example", "xn-- form")]
    [InlineData("bu\u0308cher.example", "xn-- form")]
    [InlineData("a\u200db.example", "xn-- form")]
    [InlineData("ａ.example", "xn-- form")]
    [InlineData("a。example", "xn-- form")]
    [InlineData("Proxy.Example.COM", " proxy.example.com.")]
    [InlineData("site.example.", "dot")]
    [InlineData("https://site.example", "scheme")]
    [InlineData("site.example:443", "port is always 443")]
    [InlineData("192.0.2.1", "IP address")]
    [InlineData("localhost", "no dot")]
    [InlineData("a..example", "nothing in front")]
    [InlineData("a_b.example", "hyphens")]
    [InlineData("", "empty")]
    public void A_refusal_of_a_host_names_what_to_write(string host, string expected)
    {
        Assert.False(WebAddress.TryCreate(host, "", out _, out var error));

        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.EndsWith(".", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/", "nothing instead of a slash")]
    [InlineData("/app/", " app.")]
    [InlineData("a//b", "two slashes")]
    [InlineData("_a", "letter nor a digit")]
    [InlineData("a.b", "character")]
    public void A_refusal_of_a_path_names_what_to_write(string path, string expected)
    {
        Assert.False(WebAddress.TryCreate("a.example", path, out _, out var error));

        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a.example", "a.example", "", "/")]
    [InlineData(" HTTPS://A.example ", "a.example", "", "/")]
    [InlineData("https://a.example/", "a.example", "", "/")]
    [InlineData("a.example/App/x/", "a.example", "App/x", "/App/x/")]
    [InlineData("https://bücher.example/a", "xn--bcher-kva.example", "a", "/a/")]
    public void What_users_paste_is_read_as_apps_read_it(string typed, string host, string path, string start)
    {
        Assert.True(WebAddress.TryRead(typed, out var address, out var error), error);

        Assert.Equal((host, path, start), (address.Host, address.Path, address.Base));
        Assert.Equal(WebVectors.Address(host, path), address);
        Assert.True(WebAddress.TryRead(address.ToString(), out var again, out _));
        Assert.Equal(address, again);
    }

    [Theory]
    [InlineData("http://a.example")]
    [InlineData("https://https://a.example")]
    [InlineData("a.example//")]
    [InlineData("a.example/x?y")]
    [InlineData("user@a.example")]
    [InlineData("/a")]
    public void What_apps_refuse_is_refused(string typed)
    {
        var isRead = WebAddress.TryRead(typed, out var address, out var error);

        Assert.Equal(typed == "a.example//", isRead);
        Assert.Equal(isRead, address is not null);
        Assert.Equal(isRead, error.Length == 0);
    }
}
