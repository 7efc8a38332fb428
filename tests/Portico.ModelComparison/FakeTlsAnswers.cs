using System.Text.Json;
using Portico.Protocol;
using Portico.Protocol.FakeTls;

namespace Portico.ModelComparison;

internal static class FakeTlsAnswers
{
    private static readonly byte[] Scratch = new byte[ClientHelloReader.MaxHelloLength];

    public static Dictionary<string, Func<JsonElement, string>> All { get; } = new()
    {
        ["hello-collect"] = question => ClientHelloReader.TryCollect(
            question.Hex("bytes"), Scratch, out var hello, out var consumed, out var error) switch
        {
            FrameStatus.Ok => Question.Line("ok", Question.Hex(hello), consumed),
            FrameStatus.NeedMoreData => "need_more",
            _ => error.Tag(),
        },
        ["hello-decide"] = Decide,
        ["hello-sign"] = question =>
        {
            using var key = new HmacKey(question.Secret()!);
            var hello = question.Hex("bytes");
            HelloDigest.Sign(hello, key, (uint)question.Number("time"));
            return Question.Hex(hello);
        },
        ["hello-digest"] = question =>
        {
            using var key = new HmacKey(question.Secret()!);
            return HelloDigest.Matches(question.Hex("bytes"), key, out var time) ? Question.Line("signed", time) : "unsigned";
        },
        ["time-window"] = question => Question.Line(
            (TimeWindow.Default with { AcceptUnsetClock = question.Flag("acceptUnset") })
                .Accepts((uint)question.Number("time"), question.Number("now"))),
        ["flight-write"] = question =>
        {
            var (sessionId, appData) = (question.Hex("sessionId"), question.Hex("appData"));
            var flight = new byte[ServerFlight.Length(sessionId.Length, appData.Length)];
            appData.CopyTo(flight.AsSpan(ServerFlight.AppDataOffset(sessionId.Length)));
            var order = question.Text("order") == "ks_first"
                ? ServerExtensionOrder.KeyShareFirst
                : ServerExtensionOrder.SupportedVersionsFirst;
            ServerFlight.Write(
                flight, new byte[ServerFlight.ScratchLength(flight.Length)], question.Secret()!,
                question.Hex("clientRandom"), sessionId, (ushort)question.Number("suite"), question.Hex("share"), order);
            return Question.Hex(flight);
        },
        ["flight-verify"] = question =>
        {
            using var key = new HmacKey(question.Secret()!);
            var status = ServerFlightVerifier.Verify(question.Hex("bytes"), question.Hex("clientRandom"), key, out var length, out _);
            return status == FrameStatus.Ok ? Question.Line("ours", length) : "foreign";
        },
        ["records-wrap"] = question =>
        {
            var payload = question.Hex("bytes");
            var wire = new byte[TlsRecordWriter.WireLength(payload.Length)];
            return Question.Hex(wire.AsSpan(0, TlsRecordWriter.Wrap(payload, wire)));
        },
        ["records-unwrap"] = question =>
        {
            var reader = default(TlsRecordReader);
            var payload = reader.Unwrap(question.Hex("bytes"), out var end);
            return end == TlsRecordEnd.None ? "p" + Question.Hex(payload) : "end";
        },
    };

    private static string Decide(JsonElement question)
    {
        using var key = new HmacKey(question.Secret()!);
        // The model knows no clock here; the window has a format of its own.
        var status = HelloExamination.Examine(question.Hex("bytes"), Scratch, [key], default, 0, TlsCipherSuites.None, out var verdict);
        return status switch
        {
            FrameStatus.Ok => Question.Line(
                "accept", verdict.Timestamp, $"{verdict.CipherSuite:x4}", Question.Hex(verdict.Hello.Sni),
                "s" + Question.Hex(verdict.Hello.SessionId), verdict.RawConsumed),
            FrameStatus.NeedMoreData => "need_more",
            _ => verdict.Error.Tag(),
        };
    }
}
