using System.Security.Cryptography;
using Portico.Protocol.Secrets;
using Portico.Protocol.WebProxy;
using Xunit;

namespace Portico.Protocol.Tests.WebProxy;

public class CapabilityTests
{
    private static readonly byte[] LookUpKey = [.. Enumerable.Range(0, CapabilityTable.KeyLength).Select(i => (byte)i)];

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

    [Fact]
    public void A_table_finds_each_of_its_entries_and_nothing_else()
    {
        var address = WebVectors.Address("a.example", "app");
        var entries = Enumerable.Range(0, 50)
            .Select(i => (i % 2 == 0 ? SecretKind.Simple : SecretKind.Secure, Secret((byte)(i / 2)))).ToList();

        Assert.True(CapabilityTable.TryCreate(address, entries, LookUpKey, out var table, out _));

        for (var i = 0; i < entries.Count; i++)
        {
            var text = Capability.Compute(address, entries[i].Item1, entries[i].Item2);
            Assert.Equal(i, table.Find(text));
            Assert.Equal(-1, table.Find(text.AsSpan()[..^1]));
            Assert.Equal(-1, table.Find(text + "A"));
            Assert.Equal(-1, table.Find(text.ToUpperInvariant()));
            for (var at = 0; at < text.Length; at++)
                foreach (var other in "AE_")
                    if (text[at] != other)
                        Assert.Equal(-1, table.Find(text[..at] + other + text[(at + 1)..]));
        }

        Assert.Equal(-1, table.Find(Capability.Compute(WebVectors.Address("a.example", ""), SecretKind.Simple, Secret(0))));
        Assert.Equal(-1, table.Find(""));
    }

    [Fact]
    public void Two_entries_with_one_capability_are_named()
    {
        var address = WebVectors.Address("a.example", "");
        (SecretKind, ProxySecret)[] same =
        [
            (SecretKind.Simple, Secret(1)), (SecretKind.Secure, Secret(1)), (SecretKind.Simple, Secret(2)), (SecretKind.Secure, Secret(1)),
        ];
        // HMAC pads a key with zeros: dd and 16 bytes that end in 00 are the key that its first 16 bytes are.
        byte[] plain = [0xdd, .. new byte[15]];
        (SecretKind, ProxySecret)[] padded = [(SecretKind.Simple, ProxySecret.Create(plain)), (SecretKind.Secure, Secret(0))];

        Assert.False(CapabilityTable.TryCreate(address, same, LookUpKey, out _, out var twins));
        Assert.Equal((1, 3), twins);
        Assert.False(CapabilityTable.TryCreate(address, padded, LookUpKey, out _, out twins));
        Assert.Equal((0, 1), twins);
    }

    [Fact]
    public void A_table_of_nobody_knows_nobody()
    {
        var address = WebVectors.Address("a.example", "");

        Assert.True(CapabilityTable.TryCreate(address, [], LookUpKey, out var table, out _));
        Assert.Equal(-1, table.Find(new string('A', Capability.TextLength)));
        Assert.Throws<ArgumentException>(() => CapabilityTable.TryCreate(address, [], new byte[16], out _, out _));
    }

    private static ProxySecret Secret(byte number) =>
        ProxySecret.Create(number == 0 ? new byte[ProxySecret.Length] : SHA256.HashData([number]).AsSpan(0, ProxySecret.Length));
}
