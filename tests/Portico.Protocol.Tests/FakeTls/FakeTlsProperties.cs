using System.Buffers.Binary;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Secrets;
using Xunit;

namespace Portico.Protocol.Tests.FakeTls;

/// <summary>The properties of spec/05 section 9.3 "fake_tls", and that no bytes whatever make a parser throw or change its mind.</summary>
public class FakeTlsProperties
{
    private static Arbitrary<byte[]> Secrets => Bytes(Gen.Constant(ProxySecret.Length)).ToArbitrary();

    [Fact]
    public void A_payload_of_one_record_becomes_exactly_one_record() => Prop.ForAll(
        Bytes(Gen.Choose(8, 16384)).ToArbitrary(),
        payload =>
        {
            var wire = Wrap(payload);
            return wire.Length == payload.Length + 5
                && BinaryPrimitives.ReadUInt16BigEndian(wire.AsSpan(3)) == payload.Length
                && wire.AsSpan(5).SequenceEqual(payload);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_longer_payload_becomes_several_that_join_to_the_same() => Prop.ForAll(
        Bytes(Gen.Choose(16385, 65536)).ToArbitrary(),
        payload => Wrap(payload).Length > payload.Length + 5
            && TlsRecordTests.Unwrap(Wrap(payload), 65536).Payload.SequenceEqual(payload)).QuickCheckThrowOnFailure();

    [Fact]
    public void A_stream_of_records_is_the_same_stream_whatever_the_reads() => Prop.ForAll(
        Bytes(Gen.Choose(0, 3000)).ListOf().ToArbitrary(),
        Gen.Choose(1, 5000).ToArbitrary(),
        (packets, chunkLength) =>
        {
            byte[] wire = [.. TlsRecordWriter.ChangeCipherSpec, .. packets.SelectMany(Wrap)];
            var (payload, end) = TlsRecordTests.Unwrap(wire, chunkLength);
            return end == TlsRecordEnd.None && payload.SequenceEqual(packets.SelectMany(p => p));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Under_any_secret_an_own_hello_is_accepted_with_the_same_values() => Prop.ForAll(
        Secrets,
        Domains.ToArbitrary(),
        Gen.Choose(0, int.MaxValue).ToArbitrary(),
        (secret, domain, seed) =>
        {
            var (shape, time) = ((ClientHelloShape)(seed & 1), (uint)seed * 2);
            using var key = new HmacKey(ProxySecret.Create(secret));
            var hello = new byte[ClientHelloWriter.MaxLength];
            var random = new RepeatableRandom(seed);
            var length = new ClientHelloWriter(random.Fill).Write(hello, shape, Encoding.ASCII.GetBytes(domain), key, time);
            var status = HelloExamination.Examine(
                hello.AsSpan(0, length), new byte[ClientHelloReader.MaxHelloLength],
                [key], default, nowUnix: 0, TlsCipherSuites.None, out var verdict);
            return status == FrameStatus.Ok
                && verdict.Timestamp == time
                && Encoding.ASCII.GetString(verdict.Hello.Sni) == domain
                && verdict.Hello.SessionId.SequenceEqual(hello.AsSpan(44, 32))
                && AnswerIsTaken(verdict, key, random);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Under_another_secret_it_is_refused_and_its_name_is_read() => Prop.ForAll(
        Secrets,
        Secrets,
        Domains.ToArbitrary(),
        (mine, theirs, domain) =>
        {
            theirs[0] = (byte)~mine[0];
            using var key = new HmacKey(ProxySecret.Create(mine));
            using var other = new HmacKey(ProxySecret.Create(theirs));
            var hello = new byte[ClientHelloWriter.MaxLength];
            var length = new ClientHelloWriter(new RepeatableRandom(mine[1]).Fill)
                .Write(hello, ClientHelloShape.PostQuantum, Encoding.ASCII.GetBytes(domain), other, 1_760_000_000);
            var raw = hello.AsSpan(0, length);
            var scratch = new byte[ClientHelloReader.MaxHelloLength];
            var status = HelloExamination.Examine(raw, scratch, [key], default, nowUnix: 0, TlsCipherSuites.None, out var verdict);
            return status == FrameStatus.Invalid
                && verdict.Error == ProtocolError.TlsInvalidDigest
                && ClientHelloReader.TryFindUsableSni(raw, scratch, out var sni) == FrameStatus.Ok
                && Encoding.ASCII.GetString(sni) == domain;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_hello_cut_into_any_eight_records_is_accepted() => Prop.ForAll(
        Gen.Choose(1, 400).ListOf().Where(sizes => sizes.Count <= 7).ToArbitrary(),
        sizes =>
        {
            var hello = ClientHelloWriterTests.Write(ClientHelloShape.PostQuantum, "example.com", seed: 1);
            var raw = ClientHelloReaderTests.Records(hello[5..], [.. sizes]);
            var status = ClientHelloReader.TryCollect(
                raw, new byte[ClientHelloReader.MaxHelloLength], out var collected, out var consumed, out _);
            return status == FrameStatus.Ok && consumed == raw.Length && collected.SequenceEqual(hello);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Garbage_throws_nothing_and_once_decided_stays_so() => Prop.ForAll(
        Garbage.ToArbitrary(),
        garbage =>
        {
            using var key = new HmacKey(ProxySecret.Create(new byte[16]));
            var scratch = new byte[ClientHelloReader.MaxHelloLength];
            var decided = (Status: FrameStatus.NeedMoreData, Error: ProtocolError.None);
            var stable = true;
            for (var length = 0; length <= garbage.Length; length += 1 + length / 16)
            {
                var raw = garbage.AsSpan(0, length);
                var status = HelloExamination.Examine(raw, scratch, [key], TimeWindow.Default, 0, TlsCipherSuites.None, out var verdict);
                stable &= decided.Status == FrameStatus.NeedMoreData || decided == (status, verdict.Error);
                stable &= (status == FrameStatus.Invalid) == (verdict.Error != ProtocolError.None);
                decided = (status, verdict.Error);
                ClientHelloReader.TryFindUsableSni(raw, scratch, out _);
                ServerFlightVerifier.Verify(raw, new byte[32], key, out _, out _);
            }
            var whole = TlsRecordTests.Unwrap(garbage, garbage.Length);
            var bytewise = TlsRecordTests.Unwrap(garbage, 1);
            return stable && whole.End == bytewise.End && whole.Payload.SequenceEqual(bytewise.Payload);
        }).QuickCheckThrowOnFailure();

    /// <summary>Names of 1 to 182 bytes, the longest that clients send.</summary>
    private static Gen<string> Domains =>
        Gen.Choose(1, 182).SelectMany(length => Gen.Elements("abcdefghijklmnopqrstuvwxyz0123456789-.".ToCharArray()).ArrayOf(length))
            .Select(c => new string(c));

    /// <summary>Random bytes; real hellos with one byte changed; records that begin like hellos.</summary>
    private static Gen<byte[]> Garbage => Gen.OneOf(
        Bytes(Gen.Choose(0, 600)),
        Bytes(Gen.Choose(0, 600)).Select(b => (byte[])[0x16, 3, 1, .. b]),
        Bytes(Gen.Choose(0, 600)).Select(b => (byte[])[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, .. b]),
        from name in Gen.Elements(HelloCase.All.Select(c => c.Name))
        from position in Gen.Choose(0, int.MaxValue)
        from value in Gen.Choose(0, 255)
        select Changed(HelloCase.Named(name).Input, position, (byte)value));

    private static Gen<byte[]> Bytes(Gen<int> length) => from n in length from seed in Gen.Choose(0, int.MaxValue) select Bytes(n, seed);

    private static byte[] Bytes(int length, int seed)
    {
        var bytes = new byte[length];
        new RepeatableRandom(seed).Fill(bytes);
        return bytes;
    }

    private static byte[] Changed(byte[] hello, int position, byte value)
    {
        hello[position % hello.Length] = value;
        return hello;
    }

    private static byte[] Wrap(byte[] payload)
    {
        var wire = new byte[TlsRecordWriter.WireLength(payload.Length)];
        TlsRecordWriter.Wrap(payload, wire);
        return wire;
    }

    private static bool AnswerIsTaken(HelloVerdict verdict, HmacKey key, RepeatableRandom random)
    {
        var flight = new byte[ServerFlight.Length(verdict.Hello.SessionId.Length, appDataLength: 1500)];
        random.Fill(flight);
        var (point, scratch) = (new byte[32], new byte[ServerFlight.ScratchLength(flight.Length)]);
        ServerFlight.Write(
            flight, scratch, key.Secret, verdict.Hello.Random, verdict.Hello.SessionId,
            verdict.CipherSuite, point, ServerExtensionOrder.SupportedVersionsFirst);
        return ServerFlightVerifier.Verify(flight, verdict.Hello.Random, key, out var length, out _) == FrameStatus.Ok
            && length == flight.Length;
    }
}
