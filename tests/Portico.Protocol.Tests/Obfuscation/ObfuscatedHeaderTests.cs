using System.Text.Json;
using Portico.Protocol.Crypto;
using Portico.Protocol.Obfuscation;
using Portico.Protocol.Secrets;
using Xunit;

namespace Portico.Protocol.Tests.Obfuscation;

public class ObfuscatedHeaderTests
{
    private const string File = "obfuscated2.json";

    public static TheoryData<int> Cases => Vectors.Indexes(File, "cases");

    public static TheoryData<int> Negatives => Vectors.Indexes(File, "negative");

    public static TheoryData<int> FirstBytes => Vectors.Indexes(File, "client_first_bytes_rule");

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_server_understands_the_recorded_header_and_both_streams(int index)
    {
        var item = Vectors.Cases(File, "cases")[index];

        Assert.True(ObfuscatedHeader.TryRead(item.Hex("header"), Secret(item), out var streams, out var transport, out var dcId));

        Assert.Equal(item.ReadTransport("protocol"), transport);
        Assert.Equal(item.GetProperty("dc").GetInt16(), dcId);
        Assert.Equal(item.Hex("s2c_key"), streams.ServerToClientKey.Key);
        Assert.Equal(item.Hex("s2c_iv"), streams.ServerToClientKey.Iv);
        AssertChunks(item.GetProperty("c2s"), "cipher", "plain", ref streams.ClientToServer);
        AssertChunks(item.GetProperty("s2c"), "plain", "cipher", ref streams.ServerToClient);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_client_writes_the_recorded_header_and_both_streams(int index)
    {
        var item = Vectors.Cases(File, "cases")[index];
        byte[] header = [.. item.Hex("random_0_56"), .. new byte[6], .. item.Hex("random_62_64")];

        ObfuscatedHeader.Write(header, Secret(item), item.ReadTransport("protocol"), item.GetProperty("dc").GetInt16(), out var streams);

        Assert.Equal(item.Hex("header"), header);
        AssertChunks(item.GetProperty("c2s"), "plain", "cipher", ref streams.ClientToServer);
        AssertChunks(item.GetProperty("s2c"), "cipher", "plain", ref streams.ServerToClient);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_replay_fingerprint_is_the_key_material(int index)
    {
        var item = Vectors.Cases(File, "cases")[index];

        Assert.Equal(item.Hex("replay_fingerprint_8_56"), ObfuscatedHeader.ReplayFingerprint(item.Hex("header")));
    }

    [Theory]
    [MemberData(nameof(Negatives))]
    public void A_wrong_secret_or_an_unknown_tag_is_not_understood(int index)
    {
        var item = Vectors.Cases(File, "negative")[index];
        Assert.Equal(ProtocolError.UnknownProtocol.Tag(), item.Text("expected_error"));

        Assert.False(ObfuscatedHeader.TryRead(item.Hex("header"), Secret(item), out _, out _, out _));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Bytes_behind_the_header_do_not_disturb_it(int index)
    {
        var item = Vectors.Cases(File, "cases")[index];
        byte[] received = [.. item.Hex("header"), .. item.GetProperty("c2s")[0].Hex("cipher")];

        Assert.True(ObfuscatedHeader.TryRead(received, Secret(item), out var streams, out _, out _));

        streams.ClientToServer.Transform(received.AsSpan(ObfuscatedHeader.Length));
        Assert.Equal(item.GetProperty("c2s")[0].Hex("plain"), received[ObfuscatedHeader.Length..]);
    }

    [Theory]
    [MemberData(nameof(FirstBytes))]
    public void The_rule_for_first_bytes_is_the_recorded_one(int index)
    {
        var item = Vectors.Cases(File, "client_first_bytes_rule")[index];

        Assert.Equal(item.GetProperty("forbidden").GetBoolean(), ObfuscatedHeader.HasForbiddenStart(item.Hex("first8")));
    }

    [Fact]
    public void A_reader_accepts_a_header_with_a_forbidden_start()
    {
        var header = new byte[ObfuscatedHeader.Length];
        "GET "u8.CopyTo(header);
        ObfuscatedHeader.Write(header, secret: null, Transport.Intermediate, 3, out _);

        Assert.True(ObfuscatedHeader.HasForbiddenStart(header));
        Assert.True(ObfuscatedHeader.TryRead(header, secret: null, out _, out var transport, out var dcId));
        Assert.Equal((Transport.Intermediate, (short)3), (transport, dcId));
    }

    [Fact]
    public void A_counter_that_wraps_inside_the_header_is_followed()
    {
        var header = new byte[ObfuscatedHeader.Length];
        header.AsSpan(40, 16).Fill(0xff);
        ObfuscatedHeader.Write(header, secret: null, Transport.Padded, -2, out _);

        var whole = new AesCtr(header.AsSpan(8, 32), header.AsSpan(40, 16));
        var decrypted = header.ToArray();
        whole.Transform(decrypted);
        Assert.Equal([0xdd, 0xdd, 0xdd, 0xdd, 0xfe, 0xff], decrypted[56..62]);
    }

    [Fact]
    public void Trying_secrets_allocates_nothing()
    {
        var item = Vectors.Cases(File, "cases")[0];
        var header = item.Hex("header");
        ProxySecret right = Secret(item)!, wrong = ProxySecret.Create(new byte[ProxySecret.Length]);
        ObfuscatedHeader.TryRead(header, right, out _, out _, out _);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            Assert.False(ObfuscatedHeader.TryRead(header, wrong, out _, out _, out _));
            Assert.True(ObfuscatedHeader.TryRead(header, right, out _, out _, out _));
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Key_material_is_never_printed()
    {
        ObfuscatedHeader.Write(new byte[ObfuscatedHeader.Length], secret: null, Transport.Padded, 1, out var streams);

        Assert.Equal("[key]", streams.ServerToClientKey.ToString());
    }

    private static ProxySecret? Secret(JsonElement item) =>
        item.GetProperty("secret").GetString() is { } hex ? ProxySecret.Create(Vectors.Hex(hex)) : null;

    private static void AssertChunks(JsonElement chunks, string from, string to, ref AesCtr stream)
    {
        foreach (var chunk in chunks.EnumerateArray())
        {
            var bytes = chunk.Hex(from);
            stream.Transform(bytes);
            Assert.Equal(chunk.Hex(to), bytes);
        }
    }
}
