using System.Globalization;
using System.Text.Json.Nodes;
using nietras.SeparatedValues;
using Portico.Commands;

namespace Portico.Users;

/// <summary>Users as a table of text: a line of heads, then a line for each user. Nested members have a point in their head.</summary>
internal static class UserCsv
{
    private static readonly string[] Texts =
    [
        "name", "secret", "previousSecret", "previousUntil", "adTag", "domain", "expiresAt", "rate.down", "rate.up", "quota.bytes",
        "quota.period", "group", "note",
    ];

    private static readonly string[] Numbers = ["maxConnections", "maxNetworks", "quota.resetDay"];

    private const string Enabled = "enabled";

    /// <summary>All heads, in the order in which they are written.</summary>
    private static IEnumerable<string> Heads => Texts.Append(Enabled).Concat(Numbers);

    /// <summary>Reads a table. An empty cell is as if the head were missing.</summary>
    /// <exception cref="CommandFailure">A head is unknown, or a cell is no number where one is needed.</exception>
    public static JsonArray Read(string text)
    {
        try
        {
            using var reader = Sep.New(SeparatorOf(text)).Reader(options => options with { Unescape = true }).FromText(text);
            foreach (var head in reader.Header.ColNames)
            {
                if (!Heads.Contains(head))
                    throw new CommandFailure(ExitCode.BadConfiguration, $"the head {head} is none of {string.Join(", ", Heads)}");
            }

            var users = new JsonArray();
            foreach (var row in reader)
            {
                var user = new JsonObject();
                foreach (var head in reader.Header.ColNames) Set(user, head, row[head].ToString(), row.LineNumberFrom);
                users.Add((JsonNode)user);
            }

            return users;
        }
        catch (Exception error) when (error is ArgumentException or InvalidDataException or NotSupportedException)
        {
            throw new CommandFailure(ExitCode.BadConfiguration, $"the file is no table of users: {error.Message}");
        }
    }

    /// <summary>Writes a table.</summary>
    public static string Write(JsonArray users)
    {
        var heads = Heads.ToArray();
        using var writer = Sep.New(',').Writer(options => options with { Escape = true }).ToText();
        foreach (var user in users.OfType<JsonObject>())
        {
            using var row = writer.NewRow();
            foreach (var head in heads) row[head].Set(TextOf(Find(user, head)));
        }

        return users.Count == 0 ? string.Join(",", heads) : writer.ToString().TrimEnd();
    }

    // Programs for tables write what their language has.
    private static char SeparatorOf(string text)
    {
        var end = text.IndexOf('\n', StringComparison.Ordinal);
        var first = end < 0 ? text : text[..end];
        return first.Contains(';', StringComparison.Ordinal) ? ';' : first.Contains('\t', StringComparison.Ordinal) ? '\t' : ',';
    }

    private static void Set(JsonObject user, string head, string cell, int line)
    {
        if (cell.Length == 0) return;
        JsonNode value = cell;
        if (Numbers.Contains(head))
        {
            value = int.TryParse(cell, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? number
                : throw new CommandFailure(ExitCode.BadConfiguration, $"line {line}: {head} must be a whole number");
        }
        else if (head == Enabled)
        {
            value = bool.TryParse(cell, out var flag)
                ? flag
                : throw new CommandFailure(ExitCode.BadConfiguration, $"line {line}: {head} must be true or false");
        }

        if (head.Split('.') is not [var section, var member])
        {
            user[head] = value;
            return;
        }

        if (user[section] is not JsonObject inner) user[section] = inner = [];
        inner[member] = value;
    }

    private static JsonNode? Find(JsonObject user, string head) =>
        head.Split('.') is [var section, var member] ? (user[section] as JsonObject)?[member] : user[head];

    private static string TextOf(JsonNode? node)
    {
        if (node is null) return "";
        return node is JsonValue value && value.TryGetValue<string>(out var text) ? text : node.ToJsonString();
    }
}
