using System.Text;
using Portico.Protocol.FakeTls;
using Xunit;

namespace Portico.Protocol.Tests.FakeTls;

public class ClientHelloVectorTests
{
    private static TimeWindow Off => default;

    [Fact]
    public void All_58_cases_are_there() => Assert.Equal(58, HelloCase.All.Count);

    [Theory]
    [MemberData(nameof(HelloCase.Names), MemberType = typeof(HelloCase))]
    public void However_a_hello_arrives_the_expected_verdict_comes_once_and_never_changes(string name)
    {
        var hello = HelloCase.Named(name);
        var final = new Decision(hello.Outcome, hello.Metric);

        Segmentation.AssertDecides(hello.Input, hello.Decide, final.Status, final);

        // More than was sent changes nothing either, unless the hello was still incomplete.
        if (final.Status != FrameStatus.NeedMoreData)
            Assert.Equal(final, hello.Decide([.. hello.Input, .. new byte[700]], Off));
    }

    [Theory]
    [MemberData(nameof(HelloCase.Names), MemberType = typeof(HelloCase))]
    public void Embedded_in_other_bytes_it_reads_nothing_around_it_and_writes_nowhere(string name)
    {
        var hello = HelloCase.Named(name);
        byte[] around = [0x16, 3, 1, 2, .. hello.Input, 0x16, 3, 1, 0, 9];
        var before = around.ToArray();
        Assert.Equal(new Decision(hello.Outcome, hello.Metric), hello.Decide(around.AsSpan(4, hello.Input.Length), Off));
        Assert.Equal(before, around);
    }

    [Theory]
    [MemberData(nameof(HelloCase.Names), MemberType = typeof(HelloCase))]
    public void A_hello_in_one_record_is_not_copied(string name)
    {
        var raw = HelloCase.Named(name).Input;
        var scratch = new byte[ClientHelloReader.MaxHelloLength];
        var status = ClientHelloReader.TryCollect(raw, scratch, out var bytes, out var consumed, out _);
        if (status != FrameStatus.Ok)
        {
            Assert.True(bytes.IsEmpty);
            return;
        }
        Assert.Equal(
            name == "hello_split_over_two_records" || name.Contains("three_records", StringComparison.Ordinal),
            !raw.AsSpan().Overlaps(bytes));
        if (raw.AsSpan().Overlaps(bytes))
        {
            Assert.Equal(consumed, bytes.Length);
            Assert.All(scratch, b => Assert.Equal(0, b));
        }
    }

    [Theory]
    [MemberData(nameof(HelloCase.Names), MemberType = typeof(HelloCase))]
    public void An_accepted_hello_yields_the_expected_fields(string name)
    {
        var hello = HelloCase.Named(name);
        if (hello.Outcome != "accept")
            return;
        using var key = EffectiveKey(hello);
        var status = HelloExamination.Examine(
            hello.Input, new byte[ClientHelloReader.MaxHelloLength], [key], Off, hello.Now, TlsCipherSuites.None, out var verdict);
        Assert.Equal(FrameStatus.Ok, status);

        var expected = hello.Expected;
        Assert.Equal(0, verdict.KeyIndex);
        Assert.Equal(expected.GetProperty("timestamp").GetUInt32(), verdict.Timestamp);
        var sni = Encoding.ASCII.GetString(verdict.Hello.Sni);
        Assert.Equal(expected.GetProperty("sni").GetString(), sni);
        if (expected.Optional("sni_for_policy") is { } policyName)
            Assert.Equal(policyName.GetString(), sni.ToLowerInvariant());
        if (expected.Optional("session_id") is { } sessionId)
            Assert.Equal(sessionId.GetString(), Convert.ToHexStringLower(verdict.Hello.SessionId));
        if (expected.Optional("key_share_group") is { } group)
            Assert.Equal("001d", group.GetString());
        Assert.Equal(32, verdict.Hello.X25519Share.Length);
        if (expected.Optional("cipher_suite_recommended") is { } suite)
            Assert.Equal(suite.GetString(), verdict.CipherSuite.ToString("x4", null));
    }

    [Theory]
    [MemberData(nameof(HelloCase.Names), MemberType = typeof(HelloCase))]
    public void The_parsed_fields_are_those_of_the_vectors(string name)
    {
        var hello = HelloCase.Named(name);
        var collected = ClientHelloReader.TryCollect(hello.Input, new byte[ClientHelloReader.MaxHelloLength], out var bytes, out _, out _);
        if (collected != FrameStatus.Ok)
            return;
        var parsed = ClientHello.TryParse(bytes, out var fields, out var error);
        Assert.Equal(hello.Metric != "tls_bad_client_hello", parsed);
        Assert.Equal(parsed ? ProtocolError.None : ProtocolError.TlsBadClientHello, error);
        if (!parsed)
            return;

        var expected = hello.Parsed!.Value;
        Assert.Equal(hello.Digest!.Value.Hex("client_random"), fields.Random.ToArray());
        Assert.Equal(expected.Hex("session_id"), fields.SessionId.ToArray());
        var suites = string.Concat(expected.GetProperty("cipher_suites").EnumerateArray().Select(s => s.GetString()));
        Assert.Equal(suites, Convert.ToHexStringLower(fields.CipherSuites));
        Assert.Equal(expected.GetProperty("sni").GetString() ?? "", Encoding.ASCII.GetString(fields.Sni));
        var shares = expected.Optional("key_shares");
        Assert.Equal(shares is not null, fields.HasKeyShareExtension);
        var hasX25519 = shares?.EnumerateArray().Any(s => s[0].GetString() == "001d" && s[1].GetInt32() == 32) ?? false;
        Assert.Equal(hasX25519, !fields.X25519Share.IsEmpty);
    }

    [Theory]
    [MemberData(nameof(HelloCase.Names), MemberType = typeof(HelloCase))]
    public void The_digest_is_that_of_the_vectors(string name)
    {
        var hello = HelloCase.Named(name);
        if (hello.Digest is not { } digest)
            return;
        var raw = hello.Input;
        if (ClientHelloReader.TryCollect(raw, new byte[ClientHelloReader.MaxHelloLength], out var bytes, out _, out _) != FrameStatus.Ok)
        {
            // Of a hello that is not complete the vectors describe the bytes of the first record that are there.
            var announced = 5 + (raw[3] << 8 | raw[4]);
            bytes = raw.AsSpan(0, Math.Min(announced, raw.Length));
        }
        using var key = hello.Key;
        var matches = HelloDigest.Matches(bytes, key, out var timestamp);
        Assert.Equal(digest.GetProperty("valid").GetBoolean(), matches);
        var expectedTime = digest.Optional("timestamp");
        Assert.Equal(expectedTime?.GetUInt32() ?? 0, timestamp);
    }

    [Fact]
    public void The_default_window_takes_and_refuses_the_times_of_the_vectors()
    {
        var judged = 0;
        foreach (var hello in HelloCase.All)
        {
            if (hello.TimePolicies is not { } policies)
                continue;
            judged++;
            var accepted = policies.GetProperty("portico").GetBoolean();
            var expected = accepted ? new Decision("accept", null) : new Decision("front_or_close", "tls_time");
            Assert.Equal(expected, hello.Decide(hello.Input, TimeWindow.Default));
            Assert.Equal(accepted, TimeWindow.Default.Accepts(hello.Digest!.Value.GetProperty("timestamp").GetUInt32(), hello.Now));
        }
        Assert.Equal(9, judged);
    }

    [Fact]
    public void With_and_without_a_key_set_up_the_same_secret_is_found_to_have_signed_a_hello()
    {
        var scratch = new byte[ClientHelloReader.MaxHelloLength];
        var trials = new byte[HelloDigest.ScratchLength];
        trials.AsSpan().Fill(0xee);  // what a reused area may hold
        var (signed, unsigned) = (0, 0);
        foreach (var hello in HelloCase.All)
        {
            if (HelloExamination.Open(hello.Input, scratch, out var verdict) != FrameStatus.Ok)
                continue;
            using var right = EffectiveKey(hello);
            using var wrong = new HmacKey(Protocol.Secrets.ProxySecret.Create("0123456789abcdeF"u8));
            var expected = HelloDigest.IndexOfSigner(verdict.Hello.Bytes, [wrong, right], out var time);
            var found = HelloDigest.IndexOfSigner(verdict.Hello.Bytes, [wrong.Secret, right.Secret], trials, out var foundTime);
            Assert.Equal((expected, time), (found, foundTime));
            if (found == 1) signed++;
            else unsigned++;
        }

        Assert.True(signed > 0 && unsigned > 0, $"{signed} signed, {unsigned} unsigned");
    }

    [Fact]
    public void Judging_any_hello_allocates_nothing()
    {
        var scratch = new byte[ClientHelloReader.MaxHelloLength];
        var trials = new byte[HelloDigest.ScratchLength];
        foreach (var hello in HelloCase.All)
        {
            var raw = hello.Input;
            using var key = hello.Key;
            var keys = new[] { key };
            var secrets = new[] { key.Secret };
            HelloExamination.Examine(raw, scratch, keys, TimeWindow.Default, hello.Now, TlsCipherSuites.None, out _);
            var before = GC.GetAllocatedBytesForCurrentThread();
            HelloExamination.Examine(raw, scratch, keys, TimeWindow.Default, hello.Now, TlsCipherSuites.None, out _);
            ClientHelloReader.TryFindUsableSni(raw, scratch, out _);
            if (HelloExamination.Open(raw, scratch, out var verdict) == FrameStatus.Ok)
                HelloDigest.IndexOfSigner(verdict.Hello.Bytes, secrets, trials, out uint _);
            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        }
    }

    private static HmacKey EffectiveKey(HelloCase hello) =>
        hello.Expected.Optional("effective_secret") is { } secret
            ? new HmacKey(Protocol.Secrets.ProxySecret.Create(Convert.FromHexString(secret.GetString()!)))
            : hello.Key;
}
