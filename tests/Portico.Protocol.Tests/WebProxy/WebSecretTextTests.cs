using Portico.Protocol.Secrets;
using Portico.Protocol.WebProxy;
using Xunit;

namespace Portico.Protocol.Tests.WebProxy;

public class WebSecretTextTests
{
    public static TheoryData<int> Secrets => WebVectors.Indexes("secrets");

    [Theory]
    [MemberData(nameof(Secrets))]
    public void Secrets_are_read_as_apps_read_them(int index)
    {
        var item = WebVectors.Cases("secrets")[index];

        var status = WebSecretText.Read(item.Text("text"), out var secret);

        Assert.Equal(item.Text("app"), status.ToString().ToLowerInvariant());
        Assert.Equal(status == WebSecretStatus.Valid, secret is not null);
        if (item.TextOrNull("key") is { } key)
        {
            var (kind, expected) = WebVectors.Key(Vectors.Hex(key));
            Assert.Equal(new ParsedSecret(kind, expected, null), secret);
        }
    }

    [Fact]
    public void Bits_that_fill_no_byte_do_not_count_as_in_apps()
    {
        Assert.Equal(WebSecretStatus.Valid, WebSecretText.Read("AAECAwQFBgcICQoLDA0ODw", out var canonical));
        Assert.Equal(WebSecretStatus.Valid, WebSecretText.Read("AAECAwQFBgcICQoLDA0ODx", out var sloppy));
        Assert.Equal(canonical, sloppy);
        Assert.Equal(WebSecretStatus.Valid, WebSecretText.Read("3QABAgMEBQYHCAkKCwwNDg9", out var secure));
        Assert.Equal(SecretKind.Secure, secure!.Kind);
    }

    [Fact]
    public void A_text_of_any_length_gets_an_answer()
    {
        for (var length = 0; length < 300; length++)
        {
            foreach (var one in "0zd=-")
            {
                var status = WebSecretText.Read(new string(one, length), out var secret);
                Assert.Equal(status == WebSecretStatus.Valid, secret is not null);
            }
        }
    }
}
