using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Portico.Core.Admission;
using Portico.Core.Diagnostics;
using Portico.Core.Handshake;
using Portico.Core.Net;
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
    [InlineData(0, 2)]
    [InlineData(150, 2)]
    [InlineData(151, 3)]
    [InlineData(2500, 18)]
    [InlineData(4999, 35)]
    public void Who_signed_a_hello_is_found_in_the_slice_of_the_secret(int credential, int slices)
    {
        var secrets = Secrets(5000);
        Assert.Equal((Verdict.Ours, credential, slices), Decide(Of(secrets), Hello(secrets[credential])));
    }

    [Theory]
    [InlineData(0, 2, Transport.Padded)]
    [InlineData(332, 2, Transport.Abridged)]
    [InlineData(333, 3, Transport.Intermediate)]
    [InlineData(2500, 9, Transport.Padded)]
    [InlineData(4999, 17, Transport.Padded)]
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
    public void Who_was_found_before_is_found_at_once()
    {
        var secrets = Secrets(5000);
        var judge = Of(secrets);
        Assert.Equal((Verdict.Ours, 2500, 18), Decide(judge, Hello(secrets[2500])));
        Assert.Equal((Verdict.Ours, 2500, 1), Decide(judge, Hello(secrets[2500])));
        ObfuscatedEnd.Open(Transport.Padded, 2, secrets[2500], out var header);
        Assert.Equal((Verdict.Ours, 2500, 1), Decide(judge, header));
    }

    [Fact]
    public void Who_comes_back_to_his_network_is_found_at_once_however_many_came_meanwhile()
    {
        var secrets = Secrets(500);
        var judge = Of(secrets);
        for (var i = 0; i < secrets.Length; i++) Decide(judge, Hello(secrets[i]), Network(i));
        var again = Enumerable.Range(0, secrets.Length).Count(i => Decide(judge, Hello(secrets[i]), Network(i)).Slices == 1);

        // Networks share places by chance, four on average where there is room for eight.
        Assert.InRange(again, 440, 500);
    }

    [Fact]
    public void Who_came_among_the_last_hundreds_is_found_before_all_are_tried()
    {
        var secrets = Secrets(10_000);
        var judge = Of(secrets);
        for (var i = 9000; i < 9200; i++) Decide(judge, Hello(secrets[i]));
        Assert.Equal((Verdict.Ours, 9199, 1), Decide(judge, Hello(secrets[9199])));
        Assert.Equal((Verdict.Ours, 9100, 2), Decide(judge, Hello(secrets[9100])));
    }

    [Theory]
    [InlineData("one more in front")]
    [InlineData("one of the first gone")]
    [InlineData("one of the first with another secret")]
    [InlineData("another order")]
    [InlineData("twice as many")]
    [InlineData("half as many")]
    public void Whose_secrets_were_right_is_known_when_users_change(string change)
    {
        var secrets = Secrets(4000);
        ImmutableArray<Credential> users = [.. secrets[2000..].Select((secret, index) => UserOf(secret, 2000 + index))];
        var before = OfUsers(users);
        for (var i = 2500; i < 2520; i++) Decide(before, Hello(secrets[i]), Network(i));
        ImmutableArray<Credential> changed = change switch
        {
            "one more in front" => [UserOf(secrets[0], 0), .. users],
            "one of the first gone" => users.RemoveAt(3),
            "one of the first with another secret" => users.SetItem(3, UserOf(secrets[0], 2003)),
            "another order" => [.. users.Reverse()],
            "twice as many" => [.. secrets.Select(UserOf)],
            _ => users[..1000],
        };
        var judge = OfUsers(changed, before);
        for (var i = 2500; i < 2520; i++)
        {
            Assert.Equal((Verdict.Ours, i, 1), Decide(judge, Hello(secrets[i])));
            var progress = new TrialProgress(Network(i), TrialExtent.OwnNetwork);
            Assert.Equal(Verdict.Ours, judge.Decide(Hello(secrets[i]), _scratch, Now, ref progress, out _));
        }
    }

    [Fact]
    public void Who_is_gone_is_no_hint_for_who_came_in_the_place()
    {
        var secrets = Secrets(201);
        var before = Of(secrets[..200]);
        Assert.Equal(Verdict.Ours, Decide(before, Hello(secrets[7]), Network(1)).Verdict);
        var judge = OfUsers([.. secrets[..200].Select(UserOf).Where((_, i) => i != 7), UserOf(secrets[200], 200)], before);
        Assert.Equal(Verdict.Stranger, Decide(judge, Hello(secrets[7]), Network(1)).Verdict);
        var progress = new TrialProgress(Network(1), TrialExtent.OwnNetwork);
        Assert.Equal(Verdict.Stranger, judge.Decide(Hello(secrets[8]), _scratch, Now, ref progress, out _));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(1000)]
    public void A_name_finds_all_users_whose_domain_it_is_and_no_others(int domains)
    {
        var secrets = Secrets(3 * domains);
        var table = new SecretTable(
            [.. secrets.Select((secret, i) => new Credential($"{i}", secret, Domain: i % 3 == 2 ? null : $"U{i / 3}.example.com"))]);
        Assert.Equal(domains, table.General);
        for (var i = 0; i < domains; i++)
        {
            var (start, count) = table.OfDomain(Encoding.ASCII.GetBytes($"u{i}.EXAMPLE.com")).GetOffsetAndLength(table.Count);
            Assert.Equal((2, $"{3 * i}", $"{(3 * i) + 1}"), (count, table[start].Name, table[start + 1].Name));
        }

        foreach (var name in new[] { "", "a", "u", "zzz.example.com", "u0.example.co", "u0.example.com.", "u00.example.com", "\u00e9" })
            Assert.Equal(default, table.OfDomain(Encoding.Latin1.GetBytes(name)));
    }

    [Theory]
    [InlineData("alice.example.com", 1)]
    [InlineData("ALICE.Example.com", 1)]
    [InlineData("bob.example.com", 0)]
    [InlineData("example.com", 0)]
    [InlineData("alice.example.co", 0)]
    public void A_user_with_a_domain_is_found_by_hellos_for_it_only(string sni, int expected)
    {
        var secrets = Secrets(3);
        var judge = OfUsers(
            [new("0", secrets[0], Domain: "bob.example.com"), new("1", secrets[1], Domain: "alice.example.com"), new("2", secrets[2])]);
        var (verdict, credential, _) = Decide(judge, Hello(secrets[1], sni));
        Assert.Equal((expected == 1 ? Verdict.Ours : Verdict.Stranger, expected), (verdict, credential));
        Assert.Equal((Verdict.Ours, 2, 1), Decide(judge, Hello(secrets[2], sni)));
    }

    [Fact]
    public void Users_with_domains_cost_a_stranger_no_trials()
    {
        var secrets = Secrets(10_000);
        var judge = OfUsers([.. secrets.Select((secret, i) => new Credential($"{i}", secret, Domain: $"u{i / 2}.example.com"))]);
        Assert.Equal((Verdict.Stranger, 0, 1), Decide(judge, Hello(Stage.WrongSecret)));
        Assert.Equal((Verdict.Stranger, 0, 1), Decide(judge, Hello(Stage.WrongSecret, "u1.example.com")));
        Assert.Equal((Verdict.Ours, 9999, 1), Decide(judge, Hello(secrets[9999], "u4999.example.com")));
        Assert.Equal((Verdict.Ours, 9998, 1), Decide(judge, Hello(secrets[9998], "u4999.example.com")));
    }

    [Fact]
    public void A_hint_finds_nobody_under_another_domain()
    {
        var secrets = Secrets(200);
        var judge = OfUsers(
            [.. secrets.Select((secret, i) => new Credential($"{i}", secret, Domain: i < 100 ? "a.example.com" : "b.example.com"))]);
        Assert.Equal(Verdict.Ours, Decide(judge, Hello(secrets[150], "b.example.com")).Verdict);
        Assert.Equal(Verdict.Stranger, Decide(judge, Hello(secrets[150], "a.example.com")).Verdict);
    }

    [Fact]
    public void A_hello_that_is_refused_for_another_reason_costs_no_trial()
    {
        var hello = Hello(Stage.WrongSecret);
        hello[9] = 2; // no version that a hello of TLS 1.3 carries there
        Assert.Equal((Verdict.Stranger, 0, 1), Decide(Of(Secrets(5000)), hello));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(5000)]
    public void Where_no_secret_is_to_be_tried_none_is(int count)
    {
        var secrets = Secrets(count);
        var judge = Of(secrets);
        Decide(judge, Hello(secrets[0]), Network(1));
        ObfuscatedEnd.Open(Transport.Padded, 2, secrets[0], out var header);
        foreach (var raw in new[] { Hello(secrets[0]), header })
        {
            var progress = new TrialProgress(Network(1), TrialExtent.None);
            Assert.Equal(Verdict.Stranger, judge.Decide(raw, _scratch, Now, ref progress, out var judgement));
            Assert.Equal(CloseReason.AddressRate, judgement.Reason);
            Assert.Null(judgement.Credential);
            Assert.Equal((0, 0, false), (progress.Tried, progress.Left, progress.HasBegun));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(5000)]
    public void Where_only_a_networks_own_secrets_are_to_be_tried_they_alone_are_found(int count)
    {
        const int Kept = 8;
        var secrets = Secrets(count);
        var judge = Of(secrets);
        for (var i = 0; i < count && i <= Kept; i++) Decide(judge, Hello(secrets[i]), Network(1));
        for (var i = 0; i < count && i < 12; i++)
        {
            ObfuscatedEnd.Open(Transport.Padded, 2, secrets[i], out var header);
            foreach (var raw in new[] { Hello(secrets[i]), header })
            {
                var isKept = count == 1 || i is >= 1 and <= Kept;
                var progress = new TrialProgress(Network(1), TrialExtent.OwnNetwork);
                var verdict = judge.Decide(raw, _scratch, Now, ref progress, out var judgement);
                Assert.Equal(isKept ? Verdict.Ours : Verdict.Stranger, verdict);
                Assert.Equal(isKept ? secrets[i] : null, judgement.Credential?.Secret);
                Assert.False(progress.HasBegun);
                if (!isKept) Assert.Equal(CloseReason.AddressRate, judgement.Reason);
            }
        }
    }

    [Fact]
    public void A_networks_own_secret_with_a_domain_is_found_under_it_only()
    {
        var secrets = Secrets(2);
        var judge = OfUsers([new("0", secrets[0], Domain: "a.example.com"), new("1", secrets[1])]);
        Assert.Equal(Verdict.Ours, Decide(judge, Hello(secrets[0], "a.example.com"), Network(1)).Verdict);
        foreach (var (sni, expected) in new[] { ("b.example.com", Verdict.Stranger), ("a.example.com", Verdict.Ours) })
        {
            var progress = new TrialProgress(Network(1), TrialExtent.OwnNetwork);
            Assert.Equal(expected, judge.Decide(Hello(secrets[0], sni), _scratch, Now, ref progress, out _));
        }
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
            // The least of some: code that runs for the first time may allocate, and which of them that is the runtime decides.
            var least = long.MaxValue;
            for (var attempt = 0; attempt < 5; attempt++)
            {
                var before = GC.GetAllocatedBytesForCurrentThread();
                Decide(judge, raw);
                least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            }

            Assert.Equal(0, least);
        }
    }

    // Hints take a turn of their own where there are more than 64 secrets.
    private static int Slices(int count, int slice) => ((count + slice - 1) / slice) + (count > 64 ? 1 : 0);

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

    private static ClientNetwork Network(int number) => new((ulong)number, 32);

    private static Judge Of(ProxySecret[] secrets) => OfUsers([.. secrets.Select(UserOf)]);

    private static Credential UserOf(ProxySecret secret, int index) => new($"{index}", secret);

    private static Judge OfUsers(ImmutableArray<Credential> credentials, Judge? before = null) =>
        new JudgeMaker(
            new ListenerSettings
            {
                Name = "main",
                Address = new IPEndPoint(IPAddress.Loopback, 0),
                Credentials = credentials,
                Protocols = ClientProtocols.FakeTls | ClientProtocols.Secure | ClientProtocols.Classic,
            },
            TimeWindow.Default).Create(before);

    private static byte[] Hello(ProxySecret secret, string sni = "example.com")
    {
        using var key = new HmacKey(secret);
        var hello = new byte[ClientHelloWriter.MaxLength];
        var writer = new ClientHelloWriter(RandomNumberGenerator.Fill);
        return hello[..writer.Write(hello, ClientHelloShape.Classic517, Encoding.ASCII.GetBytes(sni), key, (uint)Now)];
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

    private (Verdict Verdict, int Credential, int Slices) Decide(Judge judge, byte[] raw, ClientNetwork network = default)
    {
        var progress = new TrialProgress(network);
        for (var slices = 1; ; slices++)
        {
            var verdict = judge.Decide(raw, _scratch, Now, ref progress, out var judgement);
            _scratch.AsSpan().Fill(0xdb); // as between two loans
            if (verdict != Verdict.Trying)
                return (verdict, judgement.Credential is { } known ? int.Parse(known.Name, CultureInfo.InvariantCulture) : 0, slices);
        }
    }
}
