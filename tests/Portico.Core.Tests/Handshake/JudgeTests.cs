using System.Net;
using System.Security.Cryptography;
using System.Text;
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

public class JudgeTests
{
    private const ClientProtocols Everything = ClientProtocols.FakeTls | ClientProtocols.Secure | ClientProtocols.Classic;
    private const long Now = 1_760_000_000;

    private readonly byte[] _scratch = new byte[Scratch.Length];

    [Theory]
    [MemberData(nameof(HelloVector.Names), MemberType = typeof(HelloVector))]
    public void Cut_anywhere_a_hello_of_the_vectors_is_undecided_or_has_its_final_verdict(string name)
    {
        var vector = HelloVector.Named(name);
        var judge = Of(Everything, default, vector.Secret);
        var final = vector.Outcome switch
        {
            "accept" => "Ours",
            "need_more" => "Undecided",
            _ => vector.Metric!,
        };
        var decided = false;
        for (var length = 0; length <= vector.Input.Length; length++)
        {
            var verdict = Decide(judge, vector.Input.AsSpan(0, length), vector.Now);
            decided |= verdict != "Undecided";
            Assert.Equal(decided ? final : "Undecided", verdict);
        }

        Assert.Equal(final != "Undecided", decided);
        if (decided)
            Assert.Equal(final, Decide(judge, [.. vector.Input, .. new byte[700]], vector.Now));
    }

    [Theory]
    [MemberData(nameof(HelloVector.Names), MemberType = typeof(HelloVector))]
    public void A_listener_for_fake_tls_alone_gives_the_same_verdicts_on_hellos_and_refuses_the_rest_at_once(string name)
    {
        var vector = HelloVector.Named(name);
        var verdict = Decide(Of(ClientProtocols.FakeTls, default, vector.Secret), vector.Input, vector.Now);
        Assert.Equal(
            vector.Outcome == "not_tls"
                ? "tls_client_hello_expected"
                : Decide(Of(Everything, default, vector.Secret), vector.Input, vector.Now),
            verdict);
    }

    [Theory]
    [InlineData("G")]
    [InlineData("\u0015")]
    [InlineData("\u0016\u0003\u0003")]
    [InlineData("\u0016\u0003\u0000")]
    [InlineData("\u0016\u0002")]
    public void A_listener_for_fake_tls_alone_refuses_with_the_first_byte_that_is_no_hello(string beginning)
    {
        var raw = Encoding.Latin1.GetBytes(beginning);
        var judge = Of(ClientProtocols.FakeTls);
        Assert.Equal("tls_client_hello_expected", Decide(judge, raw));
        Assert.Equal("Undecided", Decide(judge, raw.AsSpan(0, raw.Length - 1)));
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n", 4)]
    [InlineData("POST /a HTTP/1.1\r\n", 4)]
    [InlineData("HEAD / HTTP/1.0\r\n", 4)]
    [InlineData("OPTIONS * HTTP/1.1\r\n", 4)]
    [InlineData("DELETE /x HTTP/1.1\r\n", 16)]
    [InlineData("SSH-2.0-OpenSSH_9.6\r\n", 16)]
    [InlineData("EHLO mail.example.com\r\n", 16)]
    [InlineData("\u0015\u0003\u0001\u0000\u0002\u0002\u0050", 5)]
    [InlineData("\u0017\u0003\u0003\u0001\u0000\u00ab", 5)]
    [InlineData("\u0014\u0003\u0003\u0000\u0001\u0001", 5)]
    [InlineData("\u0016\u0003\u0001\u0002\u0000\u0002\u0000\u0001\u00fc", 6)]
    public void What_no_client_begins_with_is_a_strangers_before_64_bytes_even_where_every_protocol_is_spoken(string beginning, int needed)
    {
        var raw = Encoding.Latin1.GetBytes(beginning);
        var judge = Of(Everything);
        Assert.Equal("Undecided", Decide(judge, raw.AsSpan(0, needed - 1)));
        for (var length = needed; length <= raw.Length; length++)
            Assert.Equal(Verdict.Stranger, DecideWhole(judge, raw.AsSpan(0, length), Now, out _));
    }

    [Theory]
    [InlineData(Transport.Padded, ClientProtocols.Secure)]
    [InlineData(Transport.Intermediate, ClientProtocols.Classic)]
    [InlineData(Transport.Abridged, ClientProtocols.Classic)]
    public void A_header_is_ours_with_its_64th_byte_if_the_listener_speaks_its_protocol(Transport transport, ClientProtocols needed)
    {
        ObfuscatedEnd.Open(transport, -4, Stage.Secret, out var header);
        var judge = Of(needed);
        for (var length = 0; length < 64; length++) Assert.Equal("Undecided", Decide(judge, header.AsSpan(0, length)));
        Assert.Equal(Verdict.Ours, DecideWhole(judge, [.. header, 1, 2, 3], Now, out var judgement));
        Assert.Equal(
            (transport, -4, Stage.Secret, false),
            (judgement.Transport, judgement.DcId, judgement.Credential?.Secret, judgement.IsTls));
        Assert.Equal("disabled_protocol", Decide(Of(needed ^ (ClientProtocols.Secure | ClientProtocols.Classic)), header));
        Assert.Equal("unknown_protocol", Decide(Of(Everything, default, Stage.WrongSecret), header));
    }

    [Fact]
    public void A_signed_hello_where_fake_tls_is_not_spoken_is_refused_like_an_unsigned_one()
    {
        var judge = Of(ClientProtocols.Secure);
        Assert.Equal("disabled_protocol", Decide(judge, Hello(Stage.Secret)));
        Assert.Equal("disabled_protocol", Decide(judge, Hello(Stage.WrongSecret)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4)]
    public void The_judge_says_which_of_several_secrets_the_caller_knows(int credential)
    {
        var secrets = Enumerable.Range(0, 5).Select(_ => ProxySecret.Create(RandomNumberGenerator.GetBytes(ProxySecret.Length))).ToArray();
        var judge = Of(Everything, default, secrets);
        Assert.Equal(Verdict.Ours, DecideWhole(judge, Hello(secrets[credential]), Now, out var hello));
        Assert.Equal((secrets[credential], true), (hello.Credential?.Secret, hello.IsTls));
        ObfuscatedEnd.Open(Transport.Padded, 2, secrets[credential], out var header);
        Assert.Equal(Verdict.Ours, DecideWhole(judge, header, Now, out var plain));
        Assert.Equal((secrets[credential], false), (plain.Credential?.Secret, plain.IsTls));
    }

    [Theory]
    [InlineData(-601, "tls_time")]
    [InlineData(-600, "Ours")]
    [InlineData(120, "Ours")]
    [InlineData(121, "tls_time")]
    public void The_time_in_a_hello_must_lie_in_the_window(int seconds, string expected) =>
        Assert.Equal(expected, Decide(Of(Everything, TimeWindow.Default), Hello(Stage.Secret, seconds)));

    [Fact]
    public void What_follows_a_hello_in_the_same_bytes_is_not_taken_for_part_of_it()
    {
        var hello = Hello(Stage.Secret);
        Assert.Equal(Verdict.Ours, DecideWhole(Of(Everything), [.. hello, 0x14, 3, 3, 0, 1, 1], Now, out var judgement));
        Assert.Equal(hello.Length, judgement.Hello.RawConsumed);
    }

    private static Judge Of(ClientProtocols protocols, TimeWindow window = default, params ProxySecret[] secrets) =>
        new JudgeMaker(
            new ListenerSettings
            {
                Name = "main",
                Address = new IPEndPoint(IPAddress.Loopback, 0),
                Credentials =
                    [.. (secrets.Length == 0 ? [Stage.Secret] : secrets).Select((secret, index) => new Credential($"{index}", secret))],
                Protocols = protocols,
            },
            window).Create();

    private static byte[] Hello(ProxySecret secret, int clockAhead = 0)
    {
        using var key = new HmacKey(secret);
        var hello = new byte[ClientHelloWriter.MaxLength];
        var writer = new ClientHelloWriter(RandomNumberGenerator.Fill);
        return hello[..writer.Write(hello, ClientHelloShape.PostQuantum, "example.com"u8, key, (uint)(Now + clockAhead))];
    }

    private string Decide(Judge judge, ReadOnlySpan<byte> raw, long now = Now)
    {
        var verdict = DecideWhole(judge, raw, now, out var judgement);
        return verdict == Verdict.Stranger ? judgement.Reason.Tag() : verdict.ToString();
    }

    // One slice is enough for the few secrets of these tests.
    private Verdict DecideWhole(Judge judge, ReadOnlySpan<byte> raw, long now, out Judgement judgement)
    {
        var progress = default(TrialProgress);
        return judge.Decide(raw, _scratch, now, ref progress, out judgement);
    }
}
