using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Portico.Ping;

/// <summary>The results as an operator or a script reads them.</summary>
internal static class PingReport
{
    /// <summary>A table for each protocol, a line for each data centre, and a sum. Times are means over the answers.</summary>
    public static void WriteTables(TextWriter output, PingTarget target, IReadOnlyList<ProtocolResult> results)
    {
        foreach (var protocol in results)
        {
            output.WriteLine($"{target}, {protocol.Protocol}");
            output.WriteLine("  dc    tcp ms  handshake ms   ping ms");
            foreach (var dc in protocol.Dcs)
            {
                var times = dc.Answers.Length == 0
                    ? "         -             -         -"
                    : string.Create(CultureInfo.InvariantCulture,
                        $"{Mean(dc, it => it.Tcp),10:0.0}{Mean(dc, it => it.Handshake),14:0.0}{Mean(dc, it => it.Ping),10:0.0}");
                output.WriteLine($"{dc.Dc.ToString(CultureInfo.InvariantCulture),4}{times}  {string.Join("; ", dc.Errors)}".TrimEnd());
            }

            output.WriteLine(FormattableString.Invariant(
                $"{protocol.Protocol}: {protocol.Dcs.Count(dc => dc.IsOk)} of {protocol.Dcs.Length} data centres answered"));
        }
    }

    /// <summary>
    /// One JSON object: <c>server</c>, <c>port</c> and <c>protocols</c>, each with <c>protocol</c>, <c>ok</c> and <c>dcs</c>: <c>dc</c>,
    /// <c>ok</c>, <c>answers</c>, <c>tcpMs</c>, <c>handshakeMs</c>, <c>pingMs</c> (means; null without an answer) and <c>errors</c>.
    /// </summary>
    public static void WriteJson(TextWriter output, PingTarget target, IReadOnlyList<ProtocolResult> results)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteString("server", target.Host);
            json.WriteNumber("port", target.Port);
            json.WriteStartArray("protocols");
            foreach (var protocol in results)
            {
                json.WriteStartObject();
                json.WriteString("protocol", protocol.Protocol);
                json.WriteBoolean("ok", protocol.IsWhole);
                json.WriteStartArray("dcs");
                foreach (var dc in protocol.Dcs) Write(json, dc);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        output.WriteLine(Encoding.UTF8.GetString(bytes.WrittenSpan));
    }

    private static void Write(Utf8JsonWriter json, PingResult dc)
    {
        json.WriteStartObject();
        json.WriteNumber("dc", dc.Dc);
        json.WriteBoolean("ok", dc.IsOk);
        json.WriteNumber("answers", dc.Answers.Length);
        WriteMean(json, "tcpMs", dc, it => it.Tcp);
        WriteMean(json, "handshakeMs", dc, it => it.Handshake);
        WriteMean(json, "pingMs", dc, it => it.Ping);
        json.WriteStartArray("errors");
        foreach (var error in dc.Errors) json.WriteStringValue(error);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteMean(Utf8JsonWriter json, string name, PingResult dc, Func<PingTimes, double> time)
    {
        if (dc.Answers.Length == 0) json.WriteNull(name);
        else json.WriteNumber(name, Math.Round(Mean(dc, time), 3));
    }

    private static double Mean(PingResult dc, Func<PingTimes, double> time) => dc.Answers.Average(time);
}
