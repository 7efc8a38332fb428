using System.Buffers.Binary;
using System.Text;
using Portico.Protocol.FakeTls;
using Xunit;

namespace Portico.Protocol.Tests.FakeTls;

/// <summary>Hellos in several records and the limits of spec/02 section 2.1; names for the cover of section 10.2.</summary>
public class ClientHelloReaderTests
{
    private static readonly byte[] OneRecord = CollectOk(HelloCase.Named("hello_split_over_two_records").Input);

    private static byte[] Message => OneRecord[5..];

    public static TheoryData<int[]> Splits { get; } =
        [[9999], [700], [300, 400], [1], [3, 1], [20, 680], [1, 1, 1, 1, 1, 1, 1], [Message.Length - 1]];

    [Theory]
    [MemberData(nameof(Splits))]
    public void However_the_records_are_cut_the_hello_is_the_same_and_every_truncation_waits(int[] sizes)
    {
        var raw = Records(Message, sizes);
        for (var length = 0; length < raw.Length; length++)
            Assert.Equal(FrameStatus.NeedMoreData, Collect(raw.AsSpan(0, length)).Status);
        Assert.Equal(OneRecord, CollectOk(raw));
        Assert.Equal(OneRecord, CollectOk([.. raw, 0x17, 3, 3, 0, 1, 0]));
    }

    [Fact]
    public void Two_records_may_meet_at_every_byte()
    {
        for (var border = 1; border < Message.Length; border++)
            Assert.Equal(OneRecord, CollectOk(Records(Message, border)));
    }

    [Fact]
    public void What_no_hello_can_become_is_malformed_at_once()
    {
        var twoRecords = Records(Message, 700);
        AssertMalformed(Records(Message, 1, 1, 1, 1, 1, 1, 1, 1)[..48]);  // 8 records, no message
        AssertMalformed([0x16, 3, 1, 0, 0]);
        AssertMalformed([.. twoRecords[..705], 0x16, 3, 1, 0, 0]);
        AssertMalformed([.. twoRecords[..705], 0x14]);
        AssertMalformed([.. twoRecords[..705], 0x16, 3, 3]);
        AssertMalformed([.. Records([.. Message, 0], 700)[..711]]);  // a byte more than the message in the last record
        AssertMalformed([.. Records([.. Message, 0], 9999)[..9]]);
        AssertMalformed([0x16, 3, 1, 0x40, 1]);
        AssertMalformed([0x16, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfd]);
        AssertMalformed([.. Records([1, 0, 0x0f, 0xfc, .. new byte[4092]], 4000)[..4005], 0x16, 3, 1, 0, 0x61]);
        AssertMalformed([0x16, 3, 1, 2, 0, 2]);
        AssertMalformed([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfb]);
    }

    [Fact]
    public void Just_inside_the_limits_it_waits()
    {
        AssertWaits(Records(Message, 1, 1, 1, 1, 1, 1, 1, 1)[..47]);
        AssertWaits([0x16, 3, 1, 0x10, 0, 1, 0, 0x0f, 0xfc]);
        AssertWaits([0x16, 3, 1, 0x40, 0, 1, 0, 0x0f]);
        AssertWaits([0x16, 3, 1, 0, 16, 1, 0]);
        AssertWaits([0x16, 3, 1, 0, 1, 1, 0x16, 3, 1, 0, 3, 0, 1, 0xfc]);
    }

    [Fact]
    public void The_longest_hello_in_eight_records_is_collected()
    {
        byte[] message = [1, 0, 0x0f, 0xfc, .. new byte[4092]];
        Assert.Equal(ClientHelloReader.MaxClientMessageLength, message.Length);
        Assert.Equal(message, CollectOk(Records(message, 1, 1, 1, 1, 1, 1, 1))[5..]);
    }

    [Fact]
    public void A_hello_longer_than_any_clients_is_refused_as_soon_as_its_length_is_known()
    {
        AssertInvalid(ProtocolError.TlsClientHelloTooLong, [0x16, 3, 1, 0x10, 1, 1, 0, 0x0f, 0xfd]);
        AssertInvalid(ProtocolError.TlsClientHelloTooLong, [0x16, 3, 1, 2, 0, 1, 0, 0x3f, 0xfc]);
        AssertInvalid(ProtocolError.TlsClientHelloTooLong, [0x16, 3, 1, 0, 1, 1, 0x16, 3, 1, 0, 2, 0, 0x0f, 0x16, 3, 1, 0, 1, 0xfd]);
        AssertWaits([0x16, 3, 1, 0, 1, 1, 0x16, 3, 1, 0, 2, 0, 0x0f, 0x16, 3, 1, 0, 1]);
    }

    [Fact]
    public void The_name_in_a_hello_longer_than_any_clients_is_found_for_the_cover()
    {
        var hello = HelloCase.Named("wrong_secret").Input;
        var parsed = CollectOk(hello);
        // One more extension fills the message up to the longest that a record can hold.
        var longest = new byte[ClientHelloReader.MaxHelloLength];
        parsed.CopyTo(longest, 0);
        var added = longest.Length - parsed.Length;
        BinaryPrimitives.WriteUInt16BigEndian(longest.AsSpan(parsed.Length), 0xfafb);
        BinaryPrimitives.WriteUInt16BigEndian(longest.AsSpan(parsed.Length + 2), (ushort)(added - 4));
        BinaryPrimitives.WriteUInt16BigEndian(longest.AsSpan(3), (ushort)(longest.Length - 5));
        BinaryPrimitives.WriteUInt16BigEndian(longest.AsSpan(7), (ushort)(longest.Length - 9));
        var block = 43 + 1 + longest[43];
        block += 2 + BinaryPrimitives.ReadUInt16BigEndian(longest.AsSpan(block));
        block += 1 + longest[block];
        BinaryPrimitives.WriteUInt16BigEndian(longest.AsSpan(block), (ushort)(longest.Length - block - 2));
        var raw = Records(longest[5..], 1, 1, 1, 1, 1, 1, 1);

        Assert.Equal(ClientHelloReader.MaxRawLength, raw.Length);
        AssertInvalid(ProtocolError.TlsClientHelloTooLong, raw);
        var scratch = new byte[ClientHelloReader.MaxHelloLength];
        Assert.Equal(FrameStatus.NeedMoreData, ClientHelloReader.TryFindUsableSni(raw.AsSpan(0, raw.Length - 1), scratch, out _));
        Assert.Equal(FrameStatus.Ok, ClientHelloReader.TryFindUsableSni(raw, scratch, out var sni));
        Assert.Equal("example.com"u8, sni);
    }

    [Fact]
    public void A_short_first_record_is_short_only_if_it_begins_no_longer_hello()
    {
        AssertInvalid(ProtocolError.TlsClientHelloTooShort, [0x16, 3, 1, 0, 16, 2]);
        AssertInvalid(ProtocolError.TlsClientHelloTooShort, [0x16, 3, 1, 0, 16, 1, 0, 1, 0xfb]);
        AssertInvalid(ProtocolError.TlsClientHelloTooShort, [0x16, 3, 1, 0, 1, 1, 0x16, 3, 1, 0, 3, 0, 1, 0xfb]);
        AssertInvalid(ProtocolError.TlsClientHelloTooShort, Records(HelloCase.Named("record_length_511").Input[5..], 100));
    }

    [Fact]
    public void Other_first_bytes_are_not_tls_as_soon_as_they_differ()
    {
        AssertInvalid(ProtocolError.TlsClientHelloExpected, [0x17]);
        AssertInvalid(ProtocolError.TlsClientHelloExpected, [0x16, 2]);
        AssertInvalid(ProtocolError.TlsClientHelloExpected, [0x16, 3, 3]);
        AssertWaits([]);
        AssertWaits([0x16, 3]);
    }

    [Fact]
    public void A_scratch_too_small_is_refused_whatever_the_bytes_are() =>
        Assert.Throws<ArgumentException>(
            () => ClientHelloReader.TryCollect([], new byte[ClientHelloReader.MaxHelloLength - 1], out _, out _, out _));

    [Theory]
    [InlineData("session_id_33_bytes", "example.com")]
    [InlineData("record_length_511", "example.com")]
    [InlineData("wrong_secret", "example.com")]
    [InlineData("wrong_secret_followed_by_more_bytes", "example.com")]
    [InlineData("hello_split_over_three_records_wrong_digest", "example.com")]
    [InlineData("sni_upper_case", "EXAMPLE.com")]
    [InlineData("no_key_share_extension", "example.com")]
    [InlineData("no_sni_wrong_secret", null)]
    [InlineData("two_sni_names", null)]
    [InlineData("sni_name_type_1", null)]
    [InlineData("sni_list_length_wrong", null)]
    [InlineData("sni_empty_extension", null)]
    [InlineData("sni_zero_length_name", null)]
    [InlineData("extension_overruns_before_sni", null)]
    [InlineData("extensions_length_zero_with_trailing_bytes", null)]
    [InlineData("hello_legacy_version_0301", null)]
    [InlineData("handshake_type_2", null)]
    [InlineData("declared_65535_partial", null)]
    [InlineData("record_version_0303", null)]
    [InlineData("http_get", null)]
    public void A_stranger_has_a_usable_name_or_not(string name, string? sni)
    {
        var status = ClientHelloReader.TryFindUsableSni(
            HelloCase.Named(name).Input, new byte[ClientHelloReader.MaxHelloLength], out var found);
        Assert.Equal(sni is null ? FrameStatus.Invalid : FrameStatus.Ok, status);
        Assert.Equal(sni ?? "", Encoding.ASCII.GetString(found));
    }

    [Fact]
    public void A_short_hello_names_its_host_only_when_it_is_complete()
    {
        var raw = HelloCase.Named("record_length_511").Input;
        AssertInvalid(ProtocolError.TlsClientHelloTooShort, raw[..9]);
        for (var length = 0; length < raw.Length; length++)
            Assert.Equal(
                FrameStatus.NeedMoreData,
                ClientHelloReader.TryFindUsableSni(raw.AsSpan(0, length), new byte[ClientHelloReader.MaxHelloLength], out _));
    }

    [Fact]
    public void An_extension_that_overruns_behind_the_name_spoils_the_hello_but_not_the_name()
    {
        var raw = HelloCase.Named("classic_517_byte_hello").Input;
        // The last extension is padding, 0015; its length field grows past the block.
        var padding = raw.AsSpan().LastIndexOf((ReadOnlySpan<byte>)[0x00, 0x15]);
        BinaryPrimitives.WriteUInt16BigEndian(raw.AsSpan(padding + 2), 0x7fff);
        Assert.False(ClientHello.TryParse(raw, out _, out var error));
        Assert.Equal(ProtocolError.TlsBadClientHello, error);
        Assert.Equal(FrameStatus.Ok, ClientHelloReader.TryFindUsableSni(raw, new byte[ClientHelloReader.MaxHelloLength], out var sni));
        Assert.Equal("example.com"u8, sni);
    }

    /// <summary>The message in records of these sizes; the last record takes the rest.</summary>
    internal static byte[] Records(byte[] message, params int[] sizes)
    {
        var raw = new List<byte>();
        foreach (var size in sizes.Append(int.MaxValue))
        {
            var length = Math.Min(size, message.Length);
            if (length == 0)
                break;
            raw.AddRange([0x16, 3, 1, (byte)(length >> 8), (byte)length, .. message.AsSpan(0, length)]);
            message = message[length..];
        }
        return [.. raw];
    }

    private static byte[] CollectOk(byte[] raw)
    {
        var status = ClientHelloReader.TryCollect(
            raw, new byte[ClientHelloReader.MaxHelloLength], out var hello, out var consumed, out var error);
        Assert.Equal((FrameStatus.Ok, ProtocolError.None), (status, error));
        Assert.InRange(consumed, hello.Length, raw.Length);
        return hello.ToArray();
    }

    private static (FrameStatus Status, ProtocolError Error) Collect(ReadOnlySpan<byte> raw)
    {
        var status = ClientHelloReader.TryCollect(raw, new byte[ClientHelloReader.MaxHelloLength], out _, out _, out var error);
        return (status, error);
    }

    private static void AssertMalformed(byte[] raw) => AssertInvalid(ProtocolError.TlsBadClientHello, raw);

    /// <summary>Invalid with these bytes, and unchanged with more.</summary>
    private static void AssertInvalid(ProtocolError error, byte[] raw)
    {
        Assert.Equal((FrameStatus.Invalid, error), Collect(raw));
        Assert.Equal((FrameStatus.Invalid, error), Collect([.. raw, .. new byte[600]]));
    }

    private static void AssertWaits(byte[] raw) => Assert.Equal((FrameStatus.NeedMoreData, ProtocolError.None), Collect(raw));
}
