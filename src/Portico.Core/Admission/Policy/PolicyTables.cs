using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Portico.Core.Options;

namespace Portico.Core.Admission.Policy;

/// <summary>
/// The tables of the rules. Operators change them while the proxy runs; what they changed is kept in the data directory as a difference
/// from the configuration, and stays when that is replaced. Sessions read whole contents and never wait.
/// </summary>
internal sealed partial class PolicyTables
{
    /// <summary>Changes that are remembered, of all tables together.</summary>
    public const int MostChanges = 200_000;

    private const int MostTables = 2 * PolicyOptionsParser.MostTables;

    private readonly Lock _gate = new();
    private readonly KeptTables _kept;
    private readonly ILogger _log;
    private Dictionary<string, LiveTable> _live = new(StringComparer.Ordinal);
    private ImmutableDictionary<string, PolicyKey> _used = ImmutableDictionary<string, PolicyKey>.Empty;

    /// <param name="directory">Data directory; empty = changes are not kept.</param>
    /// <param name="log">Where lines go.</param>
    public PolicyTables(string directory, ILogger log)
    {
        _log = log;
        _kept = new KeptTables(directory);
        var kept = _kept.Read(out var problem);
        foreach (var (name, content) in kept) _live.Add(name, new LiveTable(content));
        if (problem is null) return;
        Log.Damaged(log, KeptTables.FileName, problem);
        _kept.PutAside();
    }

    /// <summary>All of them.</summary>
    public ImmutableArray<PolicyTableSnapshot> Snapshot()
    {
        lock (_gate)
        {
            return
            [
                .. _live.OrderBy(table => table.Key, StringComparer.Ordinal).Select(table => (table.Key, table.Value.Content)).Select(
                    it => new PolicyTableSnapshot(
                        it.Key, it.Content.Key, it.Content.Size, it.Content.Added.Count, it.Content.Removed.Count)),
            ];
        }
    }

    /// <summary>What is in one of them; null = there is none of this name.</summary>
    public TableContent? Find(string name)
    {
        lock (_gate) return _live.GetValueOrDefault(name)?.Content;
    }

    /// <summary>The settings are other ones now: the same changes over what these say.</summary>
    /// <returns>The tables of the rules, by name.</returns>
    public IReadOnlyDictionary<string, LiveTable> Replace(ImmutableArray<PolicyTable> tables)
    {
        lock (_gate)
        {
            var live = new Dictionary<string, LiveTable>(StringComparer.Ordinal);
            var used = ImmutableDictionary.CreateBuilder<string, PolicyKey>(StringComparer.Ordinal);
            var before = Changes();
            foreach (var table in tables)
            {
                if (table.Key is not { } key) continue;
                used[table.Name] = key;
                var old = _live.GetValueOrDefault(table.Name)?.Content;
                if (old is { Changes: > 0 } && old.Key != key)
                {
                    Log.OtherKey(_log, old.Changes, table.Name, old.Key.ToString(), key.ToString());
                    old = null;
                }

                live[table.Name] = new LiveTable(TableContent.Of(key, Parse(table, key), old?.Added ?? [], old?.Removed ?? []));
            }

            // A table that no rule uses for the moment: its changes wait.
            foreach (var (name, table) in _live)
            {
                if (!live.ContainsKey(name) && table.Content.Changes > 0)
                    live.Add(name, new LiveTable(Waiting(table.Content)));
            }

            (_live, _used) = (live, used.ToImmutable());
            if (Changes() != before) Keep();
            return live;
        }
    }

    /// <summary>Puts values into a table.</summary>
    /// <param name="table">Its name; one that no rule uses yet is made.</param>
    /// <param name="key">What the values are; null = what the rules look up in it.</param>
    /// <param name="values">As an operator writes them.</param>
    public TableChange Add(string table, PolicyKey? key, IReadOnlyCollection<string> values) =>
        Change(table, key, values, (content, parsed) => content.With(parsed));

    /// <summary>Takes values out of a table.</summary>
    /// <inheritdoc cref="Add"/>
    public TableChange Remove(string table, PolicyKey? key, IReadOnlyCollection<string> values) =>
        Change(table, key, values, (content, parsed) => content.Without(parsed));

    /// <summary>Takes all values out of a table, those of the configuration too.</summary>
    public TableChange Empty(string table) => Change(table, null, [], (content, _) => content.Emptied());

    private static List<byte[]> Parse(PolicyTable table, PolicyKey key)
    {
        if (PolicyValue.TryParseAll(key, table.Values, out var values, out var problem))
            return values;
        throw new ArgumentException($"table {table.Name}: {problem}", nameof(table));
    }

    // As after a restart: the removed values stand in for the configuration that had them.
    private static TableContent Waiting(TableContent content) =>
        TableContent.Of(content.Key, content.Removed, content.Added, content.Removed);

    private TableChange Change(
        string name, PolicyKey? key, IReadOnlyCollection<string> texts, Func<TableContent, List<byte[]>, TableContent> change)
    {
        lock (_gate)
        {
            if (Find(name, key, out var problem) is not { } table)
                return TableChange.Refuse(problem!);
            if (!PolicyValue.TryParseAll(table.Content.Key, texts, out var values, out var wrong))
                return TableChange.Refuse(wrong);
            var (old, changed) = (table.Content, change(table.Content, values));
            if (changed.Changes > old.Changes && Changes() - old.Changes + changed.Changes > MostChanges)
            {
                return TableChange.Refuse($"more than {MostChanges} changes would have to be remembered; "
                    + "write values that stay into the configuration");
            }

            var moved = Math.Abs(changed.Size - old.Size);
            if (moved == 0) return new TableChange(0, null, null);
            table.Content = changed;
            _live.TryAdd(name, table);
            return new TableChange(moved, null, Keep());
        }
    }

    private LiveTable? Find(string name, PolicyKey? key, out string? problem)
    {
        problem = null;
        if (_live.TryGetValue(name, out var table))
        {
            if (key is null || key == table.Content.Key) return table;
            var holder = _used.ContainsKey(name) ? "the rules look up" : "it was filled with values of";
            problem = $"{ShownText.Quote(name)} holds no values of {key}: {holder} {table.Content.Key}";
            return null;
        }

        if (!NameLabel.IsOne(name))
            problem = $"{ShownText.Quote(name)} is no name of a table";
        else if (key is null)
            problem = $"no rule uses {ShownText.Quote(name)}: say what its values are, for example tls_domain";
        else if (_live.Count >= MostTables) problem = $"there are {MostTables} tables already";
        return problem is null ? new LiveTable(TableContent.Empty(key!.Value)) : null;
    }

    private int Changes() => _live.Values.Sum(table => table.Content.Changes);

    private string? Keep()
    {
        var problem = _kept.Write(_live.Select(table => KeyValuePair.Create(table.Key, table.Value.Content)));
        if (problem is not null) Log.NotKept(_log, KeptTables.FileName, problem);
        return problem;
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1901, EventName = "TablesDamaged", Level = LogLevel.Warning,
            Message = "Changes to tables that were made while an earlier proxy ran are lost ({File}): {Problem}. "
                + "Tables that say who may come in are as the configuration has them")]
        public static partial void Damaged(ILogger logger, string file, string problem);

        [LoggerMessage(EventId = 1902, EventName = "TablesNotKept", Level = LogLevel.Warning,
            Message = "A change to a table is in force and will be forgotten at the next start, since {File} cannot be written: {Problem}")]
        public static partial void NotKept(ILogger logger, string file, string problem);

        [LoggerMessage(EventId = 1903, EventName = "TableHasOtherKey", Level = LogLevel.Warning,
            Message = "{Changes} changes to table {Table} are dropped: they are values of {OldKey}, and the rules look up {NewKey} now")]
        public static partial void OtherKey(ILogger logger, int changes, string table, string oldKey, string newKey);
    }
}

/// <summary>What became of a change to a table.</summary>
/// <param name="Changed">Values that were not in it before and are, or the other way round.</param>
/// <param name="Refused">Why nothing was changed; null = it was.</param>
/// <param name="NotKept">Why the change is forgotten at the next start; null = it is not.</param>
internal sealed record TableChange(int Changed, string? Refused, string? NotKept)
{
    public static TableChange Refuse(string problem) => new(0, problem, null);
}
