using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Portico.Core.Options;
using Portico.Import.Reading;

namespace Portico.Import;

/// <summary>One file on its way to a configuration of ours: what is decided so far, what is wrong, what is to be told.</summary>
internal sealed class Conversion
{
    /// <summary>What keeps the file from being converted.</summary>
    public List<ImportNote> Errors { get; } = [];

    /// <summary>Keys that have no counterpart.</summary>
    public List<ImportNote> Left { get; } = [];

    /// <summary>What is taken over and differs, or needs a look.</summary>
    public List<ImportNote> Remarks { get; } = [];

    /// <summary>The listeners.</summary>
    public List<DraftListener> Listeners { get; } = [];

    /// <summary>Everything else that our configuration will say.</summary>
    public JsonObject Rest { get; } = [];

    /// <summary>Says that the file cannot be converted.</summary>
    public void Fail(int line, string key, string problem) => Errors.Add(new(line, key, problem));

    /// <summary>Tells something about a key that is taken over.</summary>
    public void Remark(int line, string key, string text) => Remarks.Add(new(line, key, text));

    /// <summary>Goes through a file: each key that a rule knows is taken or named, and so is each that none knows.</summary>
    /// <param name="file">A map.</param>
    /// <param name="rules">Of its proxy.</param>
    /// <param name="unknown">What is said about a key that no rule knows.</param>
    /// <returns>Whether any key is known.</returns>
    public bool Apply(ForeignValue file, IReadOnlyList<KeyRule> rules, string unknown)
    {
        var exact = new Dictionary<string, KeyRule>(StringComparer.Ordinal);
        foreach (var rule in rules)
        {
            exact[rule.Key] = rule;
            foreach (var alias in rule.Aliases) exact[alias] = rule;
        }

        var open = rules.Where(rule => rule.Key.EndsWith('*')).ToArray();
        var sections = exact.Keys.SelectMany(KeysAbove).ToHashSet(StringComparer.Ordinal);
        var known = 0;
        Walk(file, "");
        return known > 0;

        void Walk(ForeignValue map, string path)
        {
            foreach (var entry in map.Entries)
            {
                var key = path.Length == 0 ? entry.Key : $"{path}.{entry.Key}";
                var isSection = entry.Value.Kind == ForeignKind.Map && sections.Contains(key);
                var rule = exact.GetValueOrDefault(key) ?? (isSection ? null : Array.Find(open, rule => rule.Covers(key)));
                known += rule is null || key == PythonReader.Statement ? 0 : 1;
                if (rule is null && entry.Value.Kind == ForeignKind.Map) Walk(entry.Value, key);
                else if (rule is null) Left.Add(new(entry.Value.Line, key, unknown));
                else if (rule.Take is null)
                    Left.Add(new(entry.Value.Line, key, RemarkOf(rule, rules)));
                else rule.Take(entry.Value);
            }
        }
    }

    /// <summary>A text that must be one; null after an error.</summary>
    public string? Text(ForeignValue value, string key)
    {
        if (value.Kind == ForeignKind.Text) return value.Text;
        FailKind(value, key, "must be a text in quotes", "the text itself");
        return null;
    }

    /// <summary>A whole number that must be one; null after an error.</summary>
    public long? Number(ForeignValue value, string key)
    {
        if (value.Kind == ForeignKind.Number) return value.Number;
        FailKind(value, key, "must be a whole number", "the number itself");
        return null;
    }

    /// <summary>A port that must be one; null after an error.</summary>
    public int? Port(ForeignValue value, string key)
    {
        if (Number(value, key) is not { } number) return null;
        if (number is > 0 and <= ushort.MaxValue) return (int)number;
        Fail(value.Line, key, "must be a port, 1 to 65535");
        return null;
    }

    /// <summary>Yes or no; null after an error.</summary>
    public bool? Flag(ForeignValue value, string key)
    {
        switch (value.Kind, value.Text)
        {
            case (ForeignKind.Word, "true" or "True" or "on"):
                return true;
            case (ForeignKind.Word, "false" or "False" or "off" or "None"):
                return false;
            case (ForeignKind.Number, _):
                return value.Number != 0;
            default:
                FailKind(value, key, "must be true or false", "true or false");
                return null;
        }
    }

    /// <summary>Sets a key of ours.</summary>
    /// <param name="path">With its sections.</param>
    /// <param name="value">What it is to say.</param>
    public void Set(string path, JsonNode value)
    {
        var section = Rest;
        var parts = path.Split('.');
        foreach (var part in parts[..^1])
        {
            if (section[part] is not JsonObject below) section[part] = below = [];
            section = below;
        }

        section[parts[^1]] = value;
    }

    /// <summary>Sets a key of ours that holds a whole number; one that ours does not allow becomes the nearest that it does.</summary>
    public void SetNumber(string path, long number, int line, string key)
    {
        var option = OptionAt(path);
        var allowed = Math.Clamp(number, option.Minimum, option.Maximum);
        if (allowed != number)
            Remark(line, key, string.Create(CultureInfo.InvariantCulture,
                $"{path} may be {option.Minimum} to {option.Maximum}: it is {allowed} here"));
        Set(path, (int)allowed);
    }

    private void FailKind(ForeignValue value, string key, string must, string write) => Fail(
        value.Line, key, value.Kind == ForeignKind.Computed ? $"is worked out by the file, which is not run here: write {write}" : must);

    private static IEnumerable<string> KeysAbove(string key)
    {
        for (var dot = key.LastIndexOf('.'); dot > 0; dot = key.LastIndexOf('.', dot - 1)) yield return key[..dot];
    }

    // In a table "likewise" is the row above; alone it would say nothing.
    private static string RemarkOf(KeyRule rule, IReadOnlyList<KeyRule> rules)
    {
        var at = rules.Count - 1;
        while (at > 0 && rules[at].Key != rule.Key) at--;
        while (at > 0 && rules[at].Remark == KeyRule.Likewise) at--;
        return rules[at].Remark;
    }

    private static OptionAttribute OptionAt(string path)
    {
        JsonTypeInfo type = ProxyOptions.TypeInfo;
        OptionAttribute? option = null;
        foreach (var part in path.Split('.'))
        {
            var property = type.Properties.First(property => property.Name == part);
            option = OptionAttribute.Of(property);
            type = property.Options.GetTypeInfo(property.PropertyType);
        }

        return option ?? throw new InvalidOperationException($"{path} is no key of ours");
    }
}
