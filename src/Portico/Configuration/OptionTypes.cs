using System.Text.Json.Serialization.Metadata;

namespace Portico.Configuration;

/// <summary>What the types of options are called in errors and in the documentation.</summary>
internal static class OptionTypes
{
    /// <summary>With its article, to stand in a sentence.</summary>
    public static string NameOf(JsonTypeInfo type) => type.Kind switch
    {
        JsonTypeInfoKind.Object => "a section in braces",
        JsonTypeInfoKind.Dictionary => "a section in braces",
        JsonTypeInfoKind.Enumerable => "a list in brackets",
        _ when type.Type == typeof(string) => "text in quotes",
        _ when type.Type == typeof(bool) => "true or false",
        _ => "a whole number",
    };
}
