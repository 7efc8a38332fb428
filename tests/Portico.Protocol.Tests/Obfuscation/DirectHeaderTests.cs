using System.Text.Json;
using Portico.Protocol.Crypto;
using Portico.Protocol.Obfuscation;
using Portico.Protocol.Secrets;
using Xunit;

namespace Portico.Protocol.Tests.Obfuscation;

public class DirectHeaderTests
{
    private const string File = "direct.json";

    public static TheoryData<int> Cases => Vectors.Indexes(File, "cases");

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_DC_gets_the_recorded_header(int index)
    {
        var (item, _, header, _, _) = Connect(index);

        Assert.Equal(item.Hex("header_to_dc"), header);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_the_client_sends_reaches_the_DC_under_its_own_keys(int index)
    {
        var (item, client, _, toDc, _) = Connect(index);
        var sent = item.GetProperty("client_to_dc");
        var bytes = sent.Hex("on_client_wire");

        AesCtr.TransformBoth(ref client.ClientToServer, ref toDc, bytes);

        Assert.Equal(sent.Hex("on_dc_wire"), bytes);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_the_DC_answers_reaches_the_client_in_its_stream(int index)
    {
        var (item, client, _, _, fromDc) = Connect(index);
        var answered = item.GetProperty("dc_to_client");
        var bytes = answered.Hex("on_dc_wire");

        // In pass-through the proxy's part is to do nothing; the bytes must already be the client's.
        if (!item.GetProperty("fast_mode").GetBoolean())
            AesCtr.TransformBoth(ref fromDc, ref client.ServerToClient, bytes);

        Assert.Equal(answered.Hex("on_client_wire"), bytes);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_stream_from_the_DC_decrypts_its_answer(int index)
    {
        var (item, _, _, _, fromDc) = Connect(index);
        var bytes = item.GetProperty("dc_to_client").Hex("on_dc_wire");

        fromDc.Transform(bytes);

        Assert.Equal(item.GetProperty("dc_to_client").Hex("plain"), bytes);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_DC_understands_the_header_as_that_of_a_client_without_secret(int index)
    {
        var (item, _, header, _, _) = Connect(index);

        Assert.True(ObfuscatedHeader.TryRead(header, secret: null, out _, out var transport, out var dcId));
        Assert.Equal((item.ReadTransport("transport"), item.GetProperty("dc").GetInt16()), (transport, dcId));
    }

    [Fact]
    public void Pass_through_leaves_the_drawn_start_in_place()
    {
        var header = new byte[ObfuscatedHeader.Length];
        header.AsSpan(0, ObfuscatedHeader.StartLength).Fill(0x5a);
        var start = new AesKeyIv(new byte[AesKeyIv.KeyLength], new byte[AesKeyIv.IvLength]);

        ObfuscatedHeader.WriteToDc(header, Transport.Padded, 2, in start, out _);

        Assert.Equal(Enumerable.Repeat((byte)0x5a, ObfuscatedHeader.StartLength), header[..ObfuscatedHeader.StartLength]);
    }

    private static (JsonElement Item, ObfuscatedStreams Client, byte[] Header, AesCtr ToDc, AesCtr FromDc) Connect(int index)
    {
        var item = Vectors.Cases(File, "cases")[index];
        var secret = ProxySecret.Create(item.Hex("client_secret"));
        Assert.True(ObfuscatedHeader.TryRead(item.Hex("client_header"), secret, out var client, out var transport, out var dcId));

        var header = item.Hex("random_64");
        AesCtr toDc, fromDc;
        if (item.GetProperty("fast_mode").GetBoolean())
        {
            ObfuscatedHeader.WriteToDc(header, transport, dcId, in client.ServerToClientKey, out toDc);
            fromDc = client.ServerToClient;
        }
        else
            ObfuscatedHeader.WriteToDc(header, transport, dcId, out toDc, out fromDc);

        return (item, client, header, toDc, fromDc);
    }
}
