using Portico.Protocol.Tls;
using Xunit;

namespace Portico.Protocol.Tests.Tls;

/// <summary>Records of TLS 1.3, with the trace of RFC 8448 section 3 (TLS_AES_128_GCM_SHA256).</summary>
public class TlsRecordCipherTests
{
    private const string ClientSecret = "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5";
    private const string ServerSecret = "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643";

    private static readonly byte[] Fifty = [.. Enumerable.Range(0, 50).Select(i => (byte)i)];

    /// <summary>The secret, records before, type and content, and the record.</summary>
    public static TheoryData<string, ulong, TlsContent, byte[], string> Trace => new()
    {
        {
            ClientSecret, 0, TlsContent.ApplicationData, Fifty,
            "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a"
            + "20441e2b62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4"
        },
        {
            ServerSecret, 1, TlsContent.ApplicationData, Fifty,
            "17030300432e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa1b36e30efaf97d90e6dffc602dcb"
            + "501a59a8fcc49c4bf2e5f0a21c0047c2abf332540dd032e167c2955d"
        },
        { ClientSecret, 1, TlsContent.Alert, [1, 0], "1703030013c9872760655666b74d7ff1153efd6db6d0b0e3" },
        { ServerSecret, 2, TlsContent.Alert, [1, 0], "1703030013b58fd67166ebf599d24720cfbe7efa7a8864a9" },
    };

    [Theory]
    [MemberData(nameof(Trace))]
    public void Records_are_those_of_the_RFC(string secret, ulong before, TlsContent type, byte[] content, string record)
    {
        var bytes = Convert.FromHexString(record);
        using var sealing = Secret(secret).NewCipher(before);
        using var opening = Secret(secret).NewCipher(before);
        var target = new byte[content.Length + TlsRecordCipher.Overhead];

        Assert.Equal(bytes.Length, sealing.Seal(content, type, target));
        Assert.Equal(record, Convert.ToHexStringLower(target));
        for (var cut = 0; cut <= content.Length; cut++)
        {
            using var again = Secret(secret).NewCipher(before);
            target.AsSpan().Clear();
            Assert.Equal(bytes.Length, again.Seal(content.AsSpan(0, cut), content.AsSpan(cut), type, target));
            Assert.Equal(record, Convert.ToHexStringLower(target));
        }

        Segmentation.AssertDecides(bytes, TlsRecordCipher.TryMeasure, FrameStatus.Ok, bytes.Length);
        Assert.True(opening.TryOpen(bytes, out var opened, out var length));
        Assert.Equal(type, opened);
        Assert.Equal(content, bytes.AsSpan(TlsRecordCipher.HeaderLength, length).ToArray());
    }

    [Theory]
    [InlineData(0x1301, 32)]
    [InlineData(0x1302, 48)]
    public void Whatever_is_sealed_is_opened_in_its_order_and_not_otherwise(int suite, int secretLength)
    {
        var secret = TlsTrafficSecret.Create(suite, new byte[secretLength])!;
        using var sealing = secret.NewCipher();
        using var opening = secret.NewCipher();
        for (var i = 0; i < 5; i++)
        {
            var content = new byte[i * 4096];
            var record = new byte[content.Length + TlsRecordCipher.Overhead];
            sealing.Seal(content, TlsContent.ApplicationData, record);
            Assert.True(opening.TryOpen(record.ToArray(), out _, out var length));
            Assert.Equal(content.Length, length);
            Assert.False(opening.TryOpen(record, out _, out _)); // that one was before
        }

        using var other = secret.Next().NewCipher(5);
        var last = new byte[TlsRecordCipher.Overhead];
        other.Seal([], TlsContent.ApplicationData, last);
        Assert.False(opening.TryOpen(last.ToArray(), out _, out _));
        using var following = secret.Next().NewCipher(5);
        Assert.True(following.TryOpen(last, out _, out _));
    }

    [Fact]
    public void What_was_changed_or_is_no_record_is_not_opened()
    {
        using var sealing = Secret(ClientSecret).NewCipher();
        var record = new byte[2 + TlsRecordCipher.Overhead];
        sealing.Seal([1, 0], TlsContent.Alert, record);
        for (var bit = 0; bit < record.Length * 8; bit++)
        {
            var wrong = record.ToArray();
            wrong[bit / 8] ^= (byte)(1 << (bit % 8));
            using var opening = Secret(ClientSecret).NewCipher();
            Assert.False(opening.TryOpen(wrong, out _, out _));
        }

        foreach (var length in Enumerable.Range(TlsRecordCipher.HeaderLength, 17))
        {
            using var opening = Secret(ClientSecret).NewCipher();
            Assert.False(opening.TryOpen(record.AsSpan(0, length).ToArray(), out _, out _));
        }
    }

    [Theory]
    [InlineData("1703034101", FrameStatus.Invalid)]
    [InlineData("1703034100", FrameStatus.NeedMoreData)]
    [InlineData("1702030001", FrameStatus.Invalid)]
    [InlineData("474554202f", FrameStatus.Invalid)]
    public void What_cannot_be_a_record_is_known_by_its_header(string hex, FrameStatus expected) =>
        Assert.Equal(expected, TlsRecordCipher.TryMeasure(Convert.FromHexString(hex), out _));

    [Theory]
    [InlineData(0x1300, 32)]
    [InlineData(0x1301, 48)]
    [InlineData(0x1302, 32)]
    [InlineData(0x1303, 32)]
    [InlineData(0xc02f, 48)]
    public void Other_suites_have_no_such_records(int suite, int secretLength) =>
        Assert.Null(TlsTrafficSecret.Create(suite, new byte[secretLength]));

    private static TlsTrafficSecret Secret(string hex) => TlsTrafficSecret.Create(0x1301, Convert.FromHexString(hex))!;
}
