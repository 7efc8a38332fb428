using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;

namespace Portico.Alerts;

/// <summary>
/// What is so beside what the receiver was told. It holds one entry for each kind, so that it cannot grow whatever the receiver does: a
/// state that ended before anybody was told of it is no alert, and users of one kind are gathered. From any thread.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class AlertBoard(TimeProvider time)
{
    /// <summary>Users that an alert names; of more it has the number.</summary>
    public const int MostNamed = 100;

    // Of those, in the sentence.
    private const int MostInText = 5;

    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    private sealed class Entry
    {
        public long? LastTaken { get; set; }

        public DateTimeOffset Since { get; set; }

        public AlertState? Now { get; set; }

        public AlertState? Told { get; set; }

        public List<string> Users { get; } = [];

        public int Count { get; set; }
    }

    /// <summary>A state is so, or (null) is not.</summary>
    public void Put(string kind, AlertState? state)
    {
        lock (_gate)
        {
            var entry = EntryOf(kind);
            if (entry.Now?.Sameness != state?.Sameness) entry.Since = time.GetUtcNow();
            entry.Now = state;
        }
    }

    /// <summary>Something is so of a user.</summary>
    public void Add(string kind, string user)
    {
        lock (_gate)
        {
            var entry = EntryOf(kind);
            if (entry.Count++ == 0) entry.Since = time.GetUtcNow();
            if (entry.Users.Count < MostNamed) entry.Users.Add(user);
        }
    }

    /// <summary>The next alert that may be posted now. It counts as told, whatever becomes of it.</summary>
    public bool TryTake([NotNullWhen(true)] out Alert? alert)
    {
        lock (_gate)
        {
            foreach (var (kind, entry) in _entries)
            {
                if (entry.LastTaken is { } last && time.GetElapsedTime(last) < Pause) continue;
                if ((alert = OfUsers(kind, entry) ?? OfState(kind, entry)) is null) continue;
                entry.LastTaken = time.GetTimestamp();
                return true;
            }
        }

        alert = null;
        return false;
    }

    private static Alert? OfState(string kind, Entry entry)
    {
        if (entry.Now?.Sameness == entry.Told?.Sameness) return null;
        var (now, told) = (entry.Now, entry.Told);
        entry.Told = now;
        return now is not null
            ? new Alert(kind, now.Text, entry.Since, now.Details)
            : new Alert(kind, AlertKinds.TextOfEnd(kind), entry.Since, told!.Details, IsResolved: true);
    }

    private static Alert? OfUsers(string kind, Entry entry)
    {
        if (entry.Count == 0) return null;
        var named = string.Join(", ", entry.Users.Take(MostInText));
        var who = entry.Count > MostInText ? $"{named} and {entry.Count - MostInText} more" : named;
        var details = new JsonObject
        {
            ["users"] = new JsonArray([.. entry.Users.Select(name => (JsonNode)name)]),
            ["count"] = entry.Count,
        };
        var alert = new Alert(kind, AlertKinds.TextOfUsers(kind, who), entry.Since, details);
        entry.Users.Clear();
        entry.Count = 0;
        return alert;
    }

    private Entry EntryOf(string kind)
    {
        if (!_entries.TryGetValue(kind, out var entry)) _entries.Add(kind, entry = new Entry());
        return entry;
    }
}
