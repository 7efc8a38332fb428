using Portico.Core.Options;

namespace Portico.Core.Admission.Policy;

/// <summary>
/// What a table holds: the values of the configuration, and what was changed while the proxy ran. Never changes: a change
/// makes another one, which shares the values of the configuration.
/// </summary>
internal sealed class TableContent
{
    private readonly HashSet<byte[]> _configured;
    private readonly HashSet<byte[]> _added;
    private readonly HashSet<byte[]> _removed;

    private TableContent(PolicyKey key, HashSet<byte[]> configured, HashSet<byte[]> added, HashSet<byte[]> removed)
    {
        Key = key;
        (_configured, _added, _removed) = (configured, added, removed);
    }

    /// <summary>What its values are.</summary>
    public PolicyKey Key { get; }

    /// <summary>Values that the configuration does not have.</summary>
    public IReadOnlyCollection<byte[]> Added => _added;

    /// <summary>Values of the configuration that are not in it any more.</summary>
    public IReadOnlyCollection<byte[]> Removed => _removed;

    /// <summary>All values in it, in no order.</summary>
    public IEnumerable<byte[]> Values => _configured.Where(value => !_removed.Contains(value)).Concat(_added);

    /// <summary>Values in it.</summary>
    public int Size => _configured.Count - _removed.Count + _added.Count;

    /// <summary>Changes that are remembered.</summary>
    public int Changes => _added.Count + _removed.Count;

    /// <summary>With nothing in it.</summary>
    public static TableContent Empty(PolicyKey key) => new(key, NewSet([]), NewSet([]), NewSet([]));

    /// <summary>As the configuration has it, with changes over it. Changes that the configuration has made too are none any more.</summary>
    public static TableContent Of(PolicyKey key, IEnumerable<byte[]> configured, IEnumerable<byte[]> added, IEnumerable<byte[]> removed)
    {
        var values = NewSet(configured);
        return new TableContent(
            key, values, NewSet(added.Where(value => !values.Contains(value))), NewSet(removed.Where(values.Contains)));
    }

    /// <summary>Whether a value is in it.</summary>
    public bool Contains(ReadOnlySpan<byte> value) =>
        Has(_configured, value) ? !Has(_removed, value) : Has(_added, value);

    /// <summary>With these values in it.</summary>
    public TableContent With(IEnumerable<byte[]> values)
    {
        var (added, removed) = (NewSet(_added), NewSet(_removed));
        foreach (var value in values)
        {
            if (_configured.Contains(value)) removed.Remove(value);
            else added.Add(value);
        }

        return new TableContent(Key, _configured, added, removed);
    }

    /// <summary>Without these values.</summary>
    public TableContent Without(IEnumerable<byte[]> values)
    {
        var (added, removed) = (NewSet(_added), NewSet(_removed));
        foreach (var value in values)
        {
            if (_configured.Contains(value)) removed.Add(value);
            else added.Remove(value);
        }

        return new TableContent(Key, _configured, added, removed);
    }

    /// <summary>Without any value.</summary>
    public TableContent Emptied() => new(Key, _configured, NewSet([]), NewSet(_configured));

    private static bool Has(HashSet<byte[]> set, ReadOnlySpan<byte> value) =>
        set.Count > 0 && set.GetAlternateLookup<ReadOnlySpan<byte>>().Contains(value);

    private static HashSet<byte[]> NewSet(IEnumerable<byte[]> values) => new(values, ValueComparer.Instance);
}

/// <summary>A table of one generation of settings. Its content is replaced whole: who asks meanwhile sees one or the other.</summary>
internal sealed class LiveTable(TableContent content)
{
    private volatile TableContent _content = content;

    public TableContent Content
    {
        get => _content;
        set => _content = value;
    }

    public bool Contains(ReadOnlySpan<byte> value) => _content.Contains(value);
}
