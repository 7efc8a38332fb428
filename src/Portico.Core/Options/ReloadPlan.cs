using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Portico.Core.Options;

/// <summary>One key whose value changed.</summary>
/// <param name="Key">Where it is, such as <c>listeners[0].users[2].secret</c>; a whole entry that came or went by its own key.</param>
/// <param name="TakesEffect">One of the texts of <see cref="TakesEffect"/>.</param>
public sealed record OptionChange(string Key, string TakesEffect);

/// <summary>
/// What a reload will do, worked out before anything is done: a pure function of the options that run and those that are wanted.
/// </summary>
/// <param name="Changes">Every key that differs, in the order of the configuration.</param>
/// <param name="Effective">What can be in force without a restart: as wanted, where a restart is needed as it runs.</param>
public sealed record ReloadPlan(ImmutableArray<OptionChange> Changes, ProxyOptions Effective)
{
    /// <summary>Something was changed that takes effect at the next start only.</summary>
    public bool NeedsRestart => Changes.Any(change => change.TakesEffect == TakesEffect.Restart);

    /// <summary>Compares what runs with what is wanted.</summary>
    /// <param name="running">Of the start, or <see cref="Effective"/> of the last reload.</param>
    /// <param name="wanted">Checked.</param>
    public static ReloadPlan Of(ProxyOptions running, ProxyOptions wanted)
    {
        var comparison = new Comparison();
        var (before, after) = (ToNode(running), ToNode(wanted));
        comparison.Objects(ProxyOptions.TypeInfo, before, after, path: "");
        return new([.. comparison.Changes], after.Deserialize(ProxyOptions.TypeInfo)!);
    }

    private static JsonObject ToNode(ProxyOptions options) =>
        JsonSerializer.SerializeToNode(options, ProxyOptions.TypeInfo)!.AsObject();

    private sealed class Comparison
    {
        public List<OptionChange> Changes { get; } = [];

        // What needs a restart is put back in `after`.
        public void Objects(JsonTypeInfo type, JsonObject before, JsonObject after, string path)
        {
            foreach (var property in type.Properties)
            {
                if (OptionAttribute.Of(property) is not { } option) continue;
                var (old, wanted) = (before[property.Name], after[property.Name]);
                if (JsonNode.DeepEquals(old, wanted)) continue;
                var key = path.Length == 0 ? property.Name : $"{path}.{property.Name}";
                var inner = property.Options.GetTypeInfo(property.PropertyType);
                if (inner.Kind == JsonTypeInfoKind.Object && old is JsonObject oldObject && wanted is JsonObject wantedObject)
                {
                    Objects(inner, oldObject, wantedObject, key);
                }
                else if (ElementOf(inner) is { Kind: JsonTypeInfoKind.Object } element
                    && old is JsonArray oldArray && wanted is JsonArray wantedArray)
                {
                    Arrays(element, oldArray, wantedArray, key, option.TakesEffect);
                }
                else
                {
                    Changes.Add(new(key, option.TakesEffect));
                    if (option.TakesEffect == TakesEffect.Restart)
                        after[property.Name] = old?.DeepClone();
                }
            }
        }

        // Entries with a name are the same by it, others by their position. Order alone is no change.
        private void Arrays(JsonTypeInfo element, JsonArray before, JsonArray after, string path, string takesEffect)
        {
            var left = Enumerable.Range(0, before.Count).ToList();
            for (var i = 0; i < after.Count; i++)
            {
                var name = NameOf(after[i]);
                var same = left.FindIndex(old => name is not null && NameOf(before[old]) == name);
                if (name is null)
                    same = left.FindIndex(old => JsonNode.DeepEquals(before[old], after[i]));
                if (name is null && same < 0)
                    same = left.FindIndex(old => old == i && NameOf(before[old]) is null);
                if (same < 0)
                {
                    Changes.Add(new($"{path}[{i}]", takesEffect));
                    continue;
                }

                Objects(element, before[left[same]]!.AsObject(), after[i]!.AsObject(), $"{path}[{i}]");
                left.RemoveAt(same);
            }

            foreach (var gone in left) Changes.Add(new($"{path}[{gone}] (removed)", takesEffect));
        }

        private static string? NameOf(JsonNode? node) => (node as JsonObject)?["name"]?.GetValue<string>();

        private static JsonTypeInfo? ElementOf(JsonTypeInfo type) =>
            type.Kind == JsonTypeInfoKind.Enumerable && type.ElementType is { } element ? type.Options.GetTypeInfo(element) : null;
    }
}
