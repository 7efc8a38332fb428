using System.Text.Json;
using Portico.Protocol;
using Portico.Protocol.Framing;

namespace Portico.ModelComparison;

internal static class FramingAnswers
{
    public static Dictionary<string, Func<JsonElement, string>> All { get; } = new()
    {
        ["frame-read"] = question =>
        {
            var (bytes, transport) = (question.Hex("bytes"), question.Transport());
            var status = question.Flag("fromServer")
                ? FrameCodec.TryReadFromServer(transport, bytes, out var frame, out var reason)
                : FrameCodec.TryRead(transport, bytes, out frame, out reason);
            return status switch
            {
                FrameStatus.Ok => Question.Line(
                    Question.Hex(bytes.AsSpan(frame.PayloadOffset, frame.PayloadLength)),
                    frame.QuickAck, bytes.Length - frame.Consumed),
                FrameStatus.NeedMoreData => "incomplete",
                _ => reason.Tag(),
            };
        },
        ["frame-write"] = question =>
        {
            var (payload, padding, transport) = (question.Hex("payload"), question.Hex("padding"), question.Transport());
            var frame = new byte[8 + payload.Length + padding.Length];
            var header = FrameCodec.WriteHeader(transport, frame, payload.Length, padding.Length, question.Flag("quick"));
            return Question.Hex([.. frame[..header], .. payload, .. padding]);
        },
    };
}
