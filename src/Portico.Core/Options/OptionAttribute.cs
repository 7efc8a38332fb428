using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Portico.Core.Options;

/// <summary>
/// What the operator needs to know of a key. Validation, <c>docs/configuration.md</c>,
/// the JSON Schema and the sample file all read it here.
/// </summary>
/// <param name="meaning">One sentence or two, for the documentation.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class OptionAttribute(string meaning) : Attribute
{
    // Found by reflection, which takes microseconds: of a hundred thousand users, each of twenty keys, that would be many seconds.
    private static readonly ConditionalWeakTable<JsonPropertyInfo, StrongBox<OptionAttribute?>> Known = [];

    /// <summary>What the key does, and why its default is what it is.</summary>
    public string Meaning => meaning;

    /// <summary>A valid value as JSON text, shown by error messages and the sample file. Null = the default is example enough.</summary>
    public string? Example { get; set; }

    /// <summary>The only texts allowed, for the value or for each element of a list. Empty = any.</summary>
    public string[] OneOf { get; set; } = [];

    /// <summary>Smallest number allowed.</summary>
    public int Minimum { get; set; } = int.MinValue;

    /// <summary>Largest number allowed.</summary>
    public int Maximum { get; set; } = int.MaxValue;

    /// <summary>The value is a secret: never printed, not even in an error.</summary>
    public bool Secret { get; set; }

    /// <summary>The secret is an address of the web, of which scheme and host may be printed.</summary>
    public bool ShowsHost { get; set; }

    /// <summary>Of a text: the fewest characters. A secret without it is 32 hexadecimal digits.</summary>
    public int LeastLength { get; set; }

    /// <summary>The sample file shows it with its example although its default is nothing, since a proxy needs it.</summary>
    public bool Needed { get; set; }

    /// <summary>When a changed value counts: restart, new sessions, or live.</summary>
    public string TakesEffect { get; set; } = "restart";

    /// <summary>The description of a property; null if it has none.</summary>
    public static OptionAttribute? Of(JsonPropertyInfo property) => Known.GetValue(property, static it => new(Find(it))).Value;

    /// <summary>A valid value for <paramref name="property"/> as JSON text: the example if there is one, else the default.</summary>
    public static string ExampleOf(JsonPropertyInfo property) => Of(property)?.Example ?? DefaultOf(property);

    /// <summary>The default of <paramref name="property"/> as JSON text.</summary>
    public static string DefaultOf(JsonPropertyInfo property)
    {
        var owner = property.Options.GetTypeInfo(property.DeclaringType);
        var value = owner.CreateObject is { } create ? property.Get?.Invoke(create()) : null;
        return JsonSerializer.SerializeToNode(value, property.Options.GetTypeInfo(property.PropertyType))?.ToJsonString() ?? "null";
    }

    private static OptionAttribute? Find(JsonPropertyInfo property) =>
        property.AttributeProvider?.GetCustomAttributes(typeof(OptionAttribute), inherit: false) is [OptionAttribute option, ..]
            ? option
            : null;
}
