using System.Text.Json;
using Portico.Protocol.Crypto;

namespace Portico.ModelComparison;

internal static class CryptoAnswers
{
    public static Dictionary<string, Func<JsonElement, string>> All { get; } = new()
    {
        ["crc32"] = question => $"{Crc32.Compute(question.Hex("bytes"))}",
        ["aes-ctr"] = question =>
        {
            var (bytes, cut) = (question.Hex("bytes"), (int)question.Number("cut"));
            var stream = new AesCtr(question.Hex("key"), question.Hex("iv"));
            stream.Transform(bytes.AsSpan(0, cut));
            stream.Transform(bytes.AsSpan(cut));
            return Question.Hex(bytes);
        },
        ["aes-cbc-encrypt"] = question => Cbc(question, AesCbc256.Encrypt),
        ["aes-cbc-decrypt"] = question => Cbc(question, AesCbc256.Decrypt),
    };

    private delegate void Transformation(ReadOnlySpan<byte> key, Span<byte> iv, Span<byte> blocks);

    private static string Cbc(JsonElement question, Transformation transform)
    {
        var (bytes, iv, cut) = (question.Hex("bytes"), question.Hex("iv"), (int)question.Number("cut"));
        transform(question.Hex("key"), iv, bytes.AsSpan(0, cut));
        transform(question.Hex("key"), iv, bytes.AsSpan(cut));
        return Question.Hex(bytes);
    }
}
