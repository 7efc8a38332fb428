namespace Portico.Core.Options;

/// <summary>What the operator needs to know of a key. Validation, <c>docs/configuration.md</c>, the JSON Schema and the sample file all read it here.</summary>
/// <param name="meaning">One sentence or two, for the documentation.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class OptionAttribute(string meaning) : Attribute
{
    /// <summary>What the key does, and why its default is what it is.</summary>
    public string Meaning => meaning;

    /// <summary>A valid value as JSON text, shown by error messages and the sample file. Null = the default is example enough.</summary>
    public string? Example { get; set; }

    /// <summary>The only texts allowed, for the value or for each element of a list. Empty = any.</summary>
    public string[] OneOf { get; set; } = [];

    /// <summary>Texts that a later version will allow: the error says so instead of calling them wrong.</summary>
    public string[] NotYet { get; set; } = [];

    /// <summary>Smallest number allowed.</summary>
    public int Minimum { get; set; } = int.MinValue;

    /// <summary>Largest number allowed.</summary>
    public int Maximum { get; set; } = int.MaxValue;

    /// <summary>The value is a secret: never printed, not even in an error.</summary>
    public bool Secret { get; set; }

    /// <summary>When a changed value counts: restart, new sessions, or live.</summary>
    public string TakesEffect { get; set; } = "restart";
}
