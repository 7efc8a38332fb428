using Portico.Protocol.Secrets;
using Xunit;

namespace Portico.Protocol.Tests.Secrets;

public class SecretTextTests
{
    private const string File = "secrets_links.json";
    private const string Key = "6c0fc115f28307e3510041fffcaef3bc";

    public static TheoryData<int> Cases => Vectors.Indexes(File, "secrets");

    [Theory]
    [MemberData(nameof(Cases))]
    public void Recorded_texts_are_read_as_clients_read_them(int index)
    {
        var item = Vectors.Cases(File, "secrets")[index];
        var expected = item.GetProperty("expected");

        var accepted = SecretText.TryParse(item.Text("text"), out var parsed, out var error);

        if (expected.TryGetProperty("error", out _))
        {
            Assert.False(accepted);
            Assert.Null(parsed);
            AssertHelpsWithoutTelling(error, item.Text("text"));
            return;
        }

        Assert.True(accepted, error);
        Assert.Empty(error);
        Assert.Equal(Kind(expected.Text("type")), parsed!.Kind);
        Assert.Equal(expected.Hex("key"), parsed.Secret.Key);
        Assert.Equal(expected.TryGetProperty("domain", out var domain) ? domain.GetString() : null, parsed.Domain);
    }

    [Theory]
    [InlineData("zz0fc115f28307e3510041fffcaef3b!", "position 32")]
    [InlineData("6c0fc115 f28307e3510041fffcaef3bc", "position 9")]
    [InlineData("ee" + Key, "names no domain")]
    [InlineData("dd" + Key + "00", "36 hex digits")]
    [InlineData("cc" + Key, "34 hex digits")]
    [InlineData("6c0fc115f28307e3510041fffcaef3b", "31 hex digits")]
    [InlineData("6c0fc115f28307e3510041fffcaef3bc0", "33 hex digits")]
    [InlineData("7mwPwRXygwfjUQBB__yu87xncHRydS5wc", "33 characters")]
    [InlineData("ee" + Key + "6120", "visible ASCII")]
    [InlineData("ee" + Key + "c3a4", "xn--")]
    [InlineData("  ", "empty")]
    public void A_refusal_names_what_is_wrong(string text, string expected)
    {
        Assert.False(SecretText.TryParse(text, out _, out var error));

        Assert.Contains(expected, error, StringComparison.Ordinal);
        AssertHelpsWithoutTelling(error, text);
    }

    [Theory]
    [InlineData("eeD7ABCDEFGHIJKLMNOPQQ")]
    [InlineData("eeD7-_CDEFGHIJKLMNOPQQ==")]
    [InlineData("ddD7+/CDEFGHIJKLMNOPQQ==")]
    [InlineData("eeeeeeeeeeeeeeeeeeeeeA")]
    public void Base64_that_begins_with_the_letters_of_a_mark_is_a_plain_secret(string text)
    {
        Assert.True(SecretText.TryParse(text, out var parsed, out var error), error);
        Assert.Equal((SecretKind.Simple, (string?)null), (parsed.Kind, parsed.Domain));
        Assert.Equal(Convert.FromBase64String(text.TrimEnd('=').Replace('-', '+').Replace('_', '/') + "=="), parsed.Secret.Key);
    }

    [Fact]
    public void White_space_around_a_secret_is_ignored()
    {
        Assert.True(SecretText.TryParse($" dd{Key}\r\n", out var parsed, out _));

        Assert.Equal(SecretKind.Secure, parsed.Kind);
    }

    [Fact]
    public void A_text_of_any_length_is_refused_without_harm()
    {
        for (var length = 0; length < 1000; length++)
        {
            Assert.False(SecretText.TryParse(new string('x', length), out _, out _));
            Assert.False(SecretText.TryParse("ee" + new string('=', length), out _, out _));
        }

        Assert.False(SecretText.TryParse(new string('e', 1 << 20), out _, out _));
    }

    [Fact]
    public void The_longest_domain_is_the_longest_that_all_clients_send_whole()
    {
        var secret = ProxySecret.Create(Vectors.Hex(Key));
        var longest = new string('a', SecretText.MaxDomainLength);

        Assert.True(SecretText.TryParse(SecretText.FormatFakeTls(secret, longest), out var parsed, out _));
        Assert.Equal(longest, parsed.Domain);
        Assert.False(SecretText.TryParse(SecretText.FormatFakeTls(secret, longest) + "61", out _, out var error));
        Assert.Contains("182", error, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => SecretText.FormatFakeTls(secret, longest + "a"));
    }

    [Fact]
    public void Every_form_printed_is_read_back()
    {
        var secret = ProxySecret.Create(Vectors.Hex(Key));

        Assert.Equal(Key, SecretText.FormatSimple(secret));
        Assert.Equal("dd" + Key, SecretText.FormatSecure(secret));
        AssertReadBack(SecretText.FormatSimple(secret), new ParsedSecret(SecretKind.Simple, secret, null));
        AssertReadBack(SecretText.FormatSecure(secret), new ParsedSecret(SecretKind.Secure, secret, null));
        AssertReadBack(SecretText.FormatFakeTls(secret, "gptru.pro"), new ParsedSecret(SecretKind.FakeTls, secret, "gptru.pro"));
        AssertReadBack(SecretText.FormatFakeTlsBase64Url(secret, "gptru.pro"), new ParsedSecret(SecretKind.FakeTls, secret, "gptru.pro"));
    }

    [Fact]
    public void A_parsed_secret_prints_without_its_bytes()
    {
        Assert.True(SecretText.TryParse(Key, out var parsed, out _));

        Assert.DoesNotContain(Key, parsed.ToString(), StringComparison.OrdinalIgnoreCase);
        Assert.Contains("[secret]", parsed.ToString(), StringComparison.Ordinal);
    }

    private static void AssertReadBack(string text, ParsedSecret expected)
    {
        Assert.True(SecretText.TryParse(text, out var parsed, out var error), error);
        Assert.Equal(expected, parsed);
    }

    private static SecretKind Kind(string type) => type switch
    {
        "simple" => SecretKind.Simple,
        "secure" => SecretKind.Secure,
        "fake_tls" => SecretKind.FakeTls,
        _ => throw new InvalidDataException(type),
    };

    /// <summary>A sentence, in which no six characters in a row come from the text.</summary>
    private static void AssertHelpsWithoutTelling(string error, string text)
    {
        Assert.EndsWith(".", error, StringComparison.Ordinal);
        for (var start = 0; start + 6 <= text.Length; start++)
            Assert.DoesNotContain(text.Substring(start, 6), error, StringComparison.OrdinalIgnoreCase);
    }
}
