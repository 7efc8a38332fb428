using System.Text.Json;
using Portico.Protocol.Crypto;
using Portico.Protocol.Obfuscation;

namespace Portico.ModelComparison;

internal static class ObfuscationAnswers
{
    public static Dictionary<string, Func<JsonElement, string>> All { get; } = new()
    {
        ["forbidden-start"] = question => Question.Line(ObfuscatedHeader.HasForbiddenStart(question.Hex("start"))),
        ["header-server"] = question =>
        {
            if (!ObfuscatedHeader.TryRead(question.Hex("header"), question.Secret(), out var streams, out var transport, out var dcId))
                return "unknown";
            return Question.Line(
                Question.NameOf(transport), dcId, Question.Hex(streams.ServerToClientKey.Key), Question.Hex(streams.ServerToClientKey.Iv),
                Run(ref streams.ClientToServer, question.Hex("up")), Run(ref streams.ServerToClient, question.Hex("down")));
        },
        ["header-client"] = question =>
        {
            var header = question.Hex("random");
            ObfuscatedHeader.Write(header, question.Secret(), question.Transport(), (short)question.Number("dc"), out var streams);
            return Question.Line(
                Question.Hex(header), Run(ref streams.ClientToServer, question.Hex("up")),
                Run(ref streams.ServerToClient, question.Hex("down")));
        },
        ["direct-header"] = question =>
        {
            var header = question.Hex("random");
            ObfuscatedHeader.WriteToDc(header, question.Transport(), (short)question.Number("dc"), out var toDc, out var fromDc);
            return Question.Line(Question.Hex(header), Run(ref toDc, question.Hex("up")), Run(ref fromDc, question.Hex("down")));
        },
        // The client's own header decides the stream in which the DC will answer.
        ["direct-pass-through"] = question =>
        {
            var (header, toDcHeader) = (question.Hex("header"), question.Hex("random"));
            if (!ObfuscatedHeader.TryRead(header, question.Secret(), out var streams, out var transport, out var dcId))
                return "unknown";
            ObfuscatedHeader.WriteToDc(toDcHeader, transport, dcId, streams.ServerToClientKey, out var toDc);
            var up = question.Hex("up");
            AesCtr.TransformBoth(ref streams.ClientToServer, ref toDc, up);
            return Question.Line(Question.Hex(toDcHeader), Question.Hex(up));
        },
    };

    private static string Run(ref AesCtr stream, byte[] bytes)
    {
        stream.Transform(bytes);
        return Question.Hex(bytes);
    }
}
