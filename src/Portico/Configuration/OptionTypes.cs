using System.Text.Json.Serialization.Metadata;
using Portico.Core.Options;

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
        _ when IsByteSize(type.Type) => "a number of bytes, or a text such as \"50 GiB\"",
        _ => "a whole number",
    };

    /// <summary>Whether it is written as a number or as a text with a unit.</summary>
    public static bool IsByteSize(Type type) => type == typeof(ByteSize) || type == typeof(ByteSize?);
}
