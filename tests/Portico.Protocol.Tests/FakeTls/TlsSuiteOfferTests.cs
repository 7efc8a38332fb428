using Portico.Protocol.FakeTls;
using Portico.Protocol.Secrets;
using Xunit;

namespace Portico.Protocol.Tests.FakeTls;

public class TlsSuiteOfferTests
{
    [Fact]
    public void There_are_fifteen_offers_and_each_is_read_back_from_its_suites_and_its_code()
    {
        var all = TlsSuiteOffer.All.ToList();
        Assert.Equal(TlsSuiteOffer.Count, all.Count);
        Assert.Equal(all.Count, all.Select(offer => offer.ToString()).Distinct().Count());
        foreach (var offer in all)
        {
            Assert.InRange(offer.Suites.Count(), 1, 3);
            Assert.Equal(offer, TlsSuiteOffer.Of([.. offer.Suites.SelectMany(suite => (byte[])[(byte)(suite >> 8), (byte)suite])]));
            Assert.True(TlsSuiteOffer.TryFromCode(offer.Code, out var again));
            Assert.Equal(offer, again);
            Assert.All((ushort[])[0x1301, 0x1302, 0x1303], suite => Assert.Equal(offer.Suites.Contains(suite), offer.Contains(suite)));
        }
    }

    [Fact]
    public void Only_codes_of_offers_are_taken()
    {
        var codes = Enumerable.Range(-2, 300).Where(code => TlsSuiteOffer.TryFromCode(code, out _));
        Assert.Equal(TlsSuiteOffer.All.Select(offer => (int)offer.Code), codes);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("c02b c02f 1304 0a0a", "")]
    [InlineData("2a2a 1301 1302 1303 c02b", "1301 1302 1303")]
    [InlineData("1303 1301 1303 1301", "1303 1301")]
    [InlineData("1302 13", "1302")]
    public void Only_the_three_suites_count_and_each_once(string list, string offer) =>
        Assert.Equal(offer, TlsSuiteOffer.Of(Convert.FromHexString(list.Replace(" ", "", StringComparison.Ordinal))).ToString());

    [Fact]
    public void A_client_that_offers_other_suites_sends_a_hello_that_differs_in_nothing_else()
    {
        using var key = new HmacKey(ProxySecret.Create(new byte[16]));
        var hello = new byte[ClientHelloWriter.MaxLength];
        foreach (var shape in Enum.GetValues<ClientHelloShape>())
        {
            foreach (var offer in TlsSuiteOffer.All)
            {
                var length = new ClientHelloWriter(new RepeatableRandom(offer.Code).Fill) { Suites = offer }.Write(
                    hello, shape, "example.com"u8, key, 1_760_000_000);
                Assert.True(ClientHello.TryParse(hello.AsSpan(0, length), out var parsed, out _));
                Assert.Equal(offer, TlsSuiteOffer.Of(parsed.CipherSuites));
                Assert.Equal(shape == ClientHelloShape.PostQuantum, parsed.HasPostQuantumShare);
                Assert.Equal("example.com"u8, parsed.Sni);
                if (shape == ClientHelloShape.Classic517) Assert.Equal(517, length);
            }
        }
    }
}
