using System.Text;
using System.Text.Json;

namespace Portico.ModelComparison;

/// <summary>
/// Our half of tests/compare-with-model: a question per line in JSON, <c>{"format": NAME, ...}</c>,
/// an answer per line in plain text. Byte strings are hexadecimal.
/// </summary>
internal static class Program
{
    private static readonly Dictionary<string, Func<JsonElement, string>> Answers =
        new[]
        {
            CryptoAnswers.All, SecretAnswers.All, ObfuscationAnswers.All,
            FramingAnswers.All, FakeTlsAnswers.All, MiddleProxyAnswers.All, WebProxyAnswers.All, WebSessionAnswers.All,
        }.SelectMany(part => part).ToDictionary();

    private static void Main()
    {
        using var input = new StreamReader(Console.OpenStandardInput(), Encoding.UTF8);
        using var output = new StreamWriter(Console.OpenStandardOutput()) { NewLine = "\n" };
        while (input.ReadLine() is { } line)
        {
            using var question = JsonDocument.Parse(line);
            output.WriteLine(Answers[question.RootElement.Text("format")](question.RootElement));
            // Questions come in blocks; the answers of one go out together.
            if (question.RootElement.TryGetProperty("last", out _)) output.Flush();
        }
    }
}
