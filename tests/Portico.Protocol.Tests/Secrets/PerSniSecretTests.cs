using System.Text;
using Portico.Protocol.Secrets;
using Xunit;

namespace Portico.Protocol.Tests.Secrets;

public class PerSniSecretTests
{
    private const string File = "per_sni_secrets.json";

    public static TheoryData<int> Cases => Vectors.Indexes(File, "cases");

    [Theory]
    [MemberData(nameof(Cases))]
    public void Derived_secrets_and_their_texts_are_the_recorded_ones(int index)
    {
        var item = Vectors.Cases(File, "cases")[index];
        var sni = item.Text("sni");

        var derived = PerSniSecret.Derive(
            Encoding.UTF8.GetBytes(item.Text("salt")), ProxySecret.Create(item.Hex("base_secret")), Encoding.ASCII.GetBytes(sni));

        Assert.Equal(item.Hex("derived"), derived.Key);
        Assert.Equal(item.Text("link_secret_hex"), SecretText.FormatFakeTls(derived, sni));
        Assert.Equal(item.Text("link_secret_base64url"), SecretText.FormatFakeTlsBase64Url(derived, sni));
    }

    [Fact]
    public void Another_salt_secret_or_name_gives_another_secret()
    {
        var secret = ProxySecret.Create(new byte[ProxySecret.Length]);
        var other = ProxySecret.Create([1, .. new byte[ProxySecret.Length - 1]]);
        var derived = PerSniSecret.Derive("salt"u8, secret, "a.example"u8);

        Assert.Equal(derived, PerSniSecret.Derive("salt"u8, secret, "a.example"u8));
        Assert.NotEqual(derived, PerSniSecret.Derive("salT"u8, secret, "a.example"u8));
        Assert.NotEqual(derived, PerSniSecret.Derive("salt"u8, other, "a.example"u8));
        Assert.NotEqual(derived, PerSniSecret.Derive("salt"u8, secret, "A.example"u8));
    }

    [Fact]
    public void A_name_longer_than_any_real_one_is_hashed_whole()
    {
        var secret = ProxySecret.Create(new byte[ProxySecret.Length]);
        var name = new byte[16000];
        var derived = PerSniSecret.Derive([], secret, name);
        name[^1] = 1;

        Assert.NotEqual(derived, PerSniSecret.Derive([], secret, name));
    }
}
