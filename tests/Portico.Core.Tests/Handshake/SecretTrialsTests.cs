using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Portico.Core.Handshake;
using Portico.Core.Options;
using Portico.Core.Tests.Staging;
using Portico.Core.Users;
using Portico.Protocol;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Secrets;
using Xunit;

namespace Portico.Core.Tests.Handshake;

/// <summary>The judge alone, asked again and again as step 1 does it.</summary>
public class SecretTrialsTests
{
    private const long Now = 1_760_000_000;

    // 200 us in trials of 1000 + 5/8 n ns for a hello of n bytes, of 600 ns for a header.
    private const int HelloSlice = 151, HeaderSlice = 333, LongestHelloSlice = 56;

    private readonly byte[] _scratch = new byte[Judge.ScratchLength];

    [Theory]
    [InlineData(0, 1)]
    [InlineData(150, 1)]
    [InlineData(151, 2)]
    [InlineData(2500, 17)]
    [InlineData(4999, 34)]
    public void Who_signed_a_hello_is_found_in_the_slice_of_the_secret(int credential, int slices)
    {
        var secrets = Secrets(5000);
        Assert.Equal((Verdict.Ours, credential, slices), Decide(Of(secrets), Hello(secrets[credential])));
    }

    [Theory]
    [InlineData(0, 1, Transport.Padded)]
    [InlineData(332, 1, Transport.Abridged)]
    [InlineData(333, 2, Transport.Intermediate)]
    [InlineData(2500, 8, Transport.Padded)]
    [InlineData(4999, 16, Transport.Padded)]
    public void Whose_header_it_is_is_found_in_the_slice_of_the_secret(int credential, int slices, Transport transport)
    {
        var secrets = Secrets(5000);
        ObfuscatedEnd.Open(transport, 2, secrets[credential], out var header);
        Assert.Equal((Verdict.Ours, credential, slices), Decide(Of(secrets), header));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(HelloSlice)]
    [InlineData(HelloSlice + 1)]
    [InlineData(HeaderSlice)]
    [InlineData(HeaderSlice + 1)]
    [InlineData(5000)]
    public void A_stranger_costs_all_trials_and_never_more(int count)
    {
        var judge = Of(Secrets(count));
        Assert.Equal((Verdict.Stranger, 0, Slices(count, HelloSlice)), Decide(judge, Hello(Stage.WrongSecret)));
        Assert.Equal((Verdict.Stranger, 0, Slices(count, HelloSlice)), Decide(judge, [.. Hello(Stage.WrongSecret), .. new byte[900]]));
        ObfuscatedEnd.Open(Transport.Padded, 2, Stage.WrongSecret, out var header);
        Assert.Equal((Verdict.Stranger, 0, Slices(count, HeaderSlice)), Decide(judge, header));
    }

    [Theory]
    [InlineData(64)]
    [InlineData(5000)]
    public void The_longer_a_hello_the_fewer_trials_in_a_slice(int count)
    {
        var hello = Longest(Hello(Stage.WrongSecret));
        Assert.Equal((Verdict.Stranger, 0, Slices(count, LongestHelloSlice)), Decide(Of(Secrets(count)), hello));
    }

    [Fact]
    public void A_hello_that_is_refused_for_another_reason_costs_no_trial()
    {
        var hello = Hello(Stage.WrongSecret);
        hello[9] = 2; // no version that a hello of TLS 1.3 carries there
        Assert.Equal((Verdict.Stranger, 0, 1), Decide(Of(Secrets(5000)), hello));
    }

    [Fact]
    public void A_trial_that_takes_longer_than_a_slice_is_still_made()
    {
        var progress = default(TrialProgress);
        Assert.Equal(0..1, progress.TakeSlice(2, trialNs: 1_000_000_000));
        Assert.Equal(1..2, progress.TakeSlice(2, trialNs: 1_000_000_000));
        Assert.Equal(2..2, progress.TakeSlice(2, trialNs: 1_000_000_000));
        Assert.Equal(2, progress.Tried);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(500)]
    public void Judging_allocates_nothing(int count)
    {
        var secrets = Secrets(count);
        var judge = Of(secrets);
        ObfuscatedEnd.Open(Transport.Padded, 2, Stage.WrongSecret, out var header);
        foreach (var raw in new[] { Hello(secrets[^1]), Hello(Stage.WrongSecret), header })
        {
            Decide(judge, raw);
            var before = GC.GetAllocatedBytesForCurrentThread();
            Decide(judge, raw);
            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        }
    }

    private static int Slices(int count, int slice) => (count + slice - 1) / slice;

    private static ProxySecret[] Secrets(int count)
    {
        Span<byte> key = stackalloc byte[ProxySecret.Length];
        var secrets = new ProxySecret[count];
        for (var i = 0; i < count; i++)
        {
            BinaryPrimitives.WriteInt32BigEndian(key, i);
            secrets[i] = ProxySecret.Create(key);
        }

        return secrets;
    }

    private static Judge Of(ProxySecret[] secrets) =>
        new(
            new ListenerSettings
            {
                Name = "main",
                Address = new IPEndPoint(IPAddress.Loopback, 0),
                Credentials = [.. secrets.Select((secret, index) => new Credential($"{index}", secret))],
                Protocols = ClientProtocols.FakeTls | ClientProtocols.Secure | ClientProtocols.Classic,
            },
            TimeWindow.Default);

    private static byte[] Hello(ProxySecret secret)
    {
        using var key = new HmacKey(secret);
        var hello = new byte[ClientHelloWriter.MaxLength];
        return hello[..new ClientHelloWriter(RandomNumberGenerator.Fill).Write(hello, ClientHelloShape.Classic517, "example.com"u8, key, (uint)Now)];
    }

    // One more extension of an unknown type fills the hello up to the longest that is tried; it is signed with no secret any more.
    private static byte[] Longest(byte[] hello)
    {
        var longest = new byte[5 + ClientHelloReader.MaxClientMessageLength];
        hello.CopyTo(longest, 0);
        var added = longest.Length - hello.Length;
        Span<byte> extension = longest.AsSpan(hello.Length);
        BinaryPrimitives.WriteUInt16BigEndian(extension, 0xfafb);
        BinaryPrimitives.WriteUInt16BigEndian(extension[2..], (ushort)(added - 4));
        BinaryPrimitives.WriteUInt16BigEndian(longest.AsSpan(3), (ushort)(longest.Length - 5));
        BinaryPrimitives.WriteUInt16BigEndian(longest.AsSpan(7), (ushort)(longest.Length - 9));
        var block = 43 + 1 + longest[43];
        block += 2 + BinaryPrimitives.ReadUInt16BigEndian(longest.AsSpan(block));
        block += 1 + longest[block];
        BinaryPrimitives.WriteUInt16BigEndian(longest.AsSpan(block), (ushort)(longest.Length - block - 2));
        return longest;
    }

    private (Verdict Verdict, int Credential, int Slices) Decide(Judge judge, byte[] raw)
    {
        var progress = default(TrialProgress);
        for (var slices = 1; ; slices++)
        {
            var verdict = judge.Decide(raw, _scratch, Now, ref progress, out var judgement);
            _scratch.AsSpan().Fill(0xdb); // as between two loans
            if (verdict != Verdict.Trying) return (verdict, judgement.Credential is { } known ? int.Parse(known.Name, CultureInfo.InvariantCulture) : 0, slices);
        }
    }
}
