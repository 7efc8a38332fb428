using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Portico.Commands;

namespace Portico.Users;

/// <summary>What can be said of a user on the command line, as the members of the interface's user.</summary>
internal sealed class UserFlags
{
    private readonly Option<string?> _domain = Text("--domain", "NAME", "A host name of the user's own for fake-TLS links.");
    private readonly Option<string?> _adTag = Text("--ad-tag", "HEX", "The user's own ad tag.");
    private readonly Option<string?> _secretFile = Text("--secret-file", "FILE", "A file that holds the secret. Without it: a fresh one.");
    private readonly Option<string?> _expires = Text(
        "--expires", "WHEN", "When it ends: a date such as 2027-01-31, with a time or without, or days from now such as 30d.");

    private readonly Option<int?> _connections = new("--max-connections") { Description = "Sessions at a time.", HelpName = "N" };
    private readonly Option<int?> _networks = new("--max-networks") { Description = "Networks at a time.", HelpName = "N" };
    private readonly Option<string?> _down = Text("--down", "BYTES", "Bytes per second to the user, such as \"2 MiB\".");
    private readonly Option<string?> _up = Text("--up", "BYTES", "Bytes per second from the user.");
    private readonly Option<string?> _quota = Text("--quota", "BYTES", "Bytes in a period, such as \"50 GiB\".");
    private readonly Option<string?> _period = new Option<string?>("--period")
    {
        Description = "When the quota begins anew.",
        HelpName = "PERIOD",
    }.AcceptOnlyFromAmong("none", "day", "week", "month");

    private readonly Option<int?> _resetDay = new("--reset-day")
    {
        Description = "The day on which it does: of a month 1 to 31, of a week 1 (Monday) to 7.",
        HelpName = "N",
    };

    private readonly Option<string?> _group = Text("--group", "WORD", "A word to sort users by.");
    private readonly Option<string?> _note = Text("--note", "TEXT", "What is to be remembered of the user.");

    /// <summary>Makes them known to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in All) command.Add(option);
    }

    /// <summary>What was said, as members of a user; an empty text clears.</summary>
    /// <exception cref="CommandFailure">Something cannot be understood.</exception>
    public JsonObject Read(ParseResult parsed)
    {
        var user = new JsonObject();
        Set(user, "domain", parsed, _domain);
        Set(user, "adTag", parsed, _adTag);
        Set(user, "group", parsed, _group);
        Set(user, "note", parsed, _note);
        if (parsed.GetValue(_secretFile) is { } file)
            user["secret"] = NamedFile.Read(file, NamedFile.HoldsSecret, ExitCode.BadConfiguration);
        if (parsed.GetValue(_expires) is { } when)
            user["expiresAt"] = when.Length == 0 ? null : Moment(when);
        if (parsed.GetValue(_connections) is { } connections)
            user["maxConnections"] = connections == 0 ? null : connections;
        if (parsed.GetValue(_networks) is { } networks)
            user["maxNetworks"] = networks == 0 ? null : networks;
        var rate = new JsonObject();
        Set(rate, "down", parsed, _down);
        Set(rate, "up", parsed, _up);
        if (rate.Count > 0) user["rate"] = rate;
        if (parsed.GetValue(_quota) is "")
        {
            user["quota"] = null;
            return user;
        }

        var quota = new JsonObject();
        Set(quota, "bytes", parsed, _quota);
        Set(quota, "period", parsed, _period);
        if (parsed.GetValue(_resetDay) is { } day) quota["resetDay"] = day;
        if (quota.Count > 0) user["quota"] = quota;
        return user;
    }

    private IEnumerable<Option> All =>
    [
        _domain, _adTag, _secretFile, _expires, _connections, _networks, _down, _up, _quota, _period, _resetDay, _group, _note,
    ];

    private static Option<string?> Text(string name, string value, string description) => new(name)
    {
        Description = description,
        HelpName = value,
    };

    private static void Set(JsonObject target, string key, ParseResult parsed, Option<string?> option)
    {
        if (parsed.GetValue(option) is { } text) target[key] = text.Length == 0 ? null : text;
    }

    private static string Moment(string text)
    {
        const int MostDays = 100_000;
        var now = TimeProvider.System.GetUtcNow();
        if (text is [.. var days, 'd'] && int.TryParse(days, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            && count < MostDays)
        {
            return Written(now.AddDays(count));
        }

        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment))
            return Written(moment);
        throw new CommandFailure(ExitCode.BadConfiguration, "--expires: needs a date such as 2027-01-31, or days from now such as 30d");
    }

    private static string Written(DateTimeOffset moment) =>
        moment.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
