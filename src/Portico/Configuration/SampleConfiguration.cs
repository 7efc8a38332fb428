using System.Text;
using System.Text.Json.Serialization.Metadata;
using Portico.Core.Options;

namespace Portico.Configuration;

/// <summary>A configuration with every key at its default and a word on each; what is absent by default is commented out.</summary>
internal static class SampleConfiguration
{
    private const int Indent = 2;

    public static string Text()
    {
        var text = new StringBuilder(
            "// Every key of Portico's configuration with its default; "
                + "lines that are commented out show an example of what is absent by default.\n"
                + "// Generated from the options; docs/configuration.md says more. Replace the secret: everybody knows this one.\n");
        Section(text, ProxyOptions.TypeInfo, 0);
        return text.Append('\n').ToString();
    }

    private static void Section(StringBuilder text, JsonTypeInfo type, int depth)
    {
        text.Append("{\n");
        for (var i = 0; i < type.Properties.Count; i++)
        {
            var property = type.Properties[i];
            if (OptionAttribute.Of(property) is { } option)
                Line(text, depth + 1).Append("// ").Append(option.Meaning).Append('\n');
            Member(text, property, depth + 1);
            text.Append(i < type.Properties.Count - 1 ? "\n\n" : "\n"); // every member ends with a comma: trailing ones are allowed
        }

        Line(text, depth).Append('}');
    }

    private static void Member(StringBuilder text, JsonPropertyInfo property, int depth)
    {
        var type = property.Options.GetTypeInfo(property.PropertyType);
        var standard = OptionAttribute.DefaultOf(property);
        if (type.Kind == JsonTypeInfoKind.Object && standard != "null")
        {
            Section(Line(text, depth).Append($"\"{property.Name}\": "), type, depth);
            text.Append(',');
        }
        else if (type.Kind == JsonTypeInfoKind.Enumerable
            && property.Options.GetTypeInfo(type.ElementType!) is { Kind: JsonTypeInfoKind.Object } element)
        {
            if (OptionAttribute.Of(property) is { Needed: true })
                List(text, property.Name, element, depth);
            else Line(text, depth).Append($"// \"{property.Name}\": {OptionAttribute.ExampleOf(property)},");
        }
        else
        {
            var isAbsent = standard is "null" or "[]" or "{}";
            var isCommentedOut = isAbsent && OptionAttribute.Of(property) is not { Needed: true };
            Line(text, depth).Append(isCommentedOut ? "// " : "").Append(
                $"\"{property.Name}\": {(isAbsent ? OptionAttribute.ExampleOf(property) : standard)},");
        }
    }

    private static void List(StringBuilder text, string name, JsonTypeInfo element, int depth)
    {
        Line(text, depth).Append($"\"{name}\": [\n");
        Section(Line(text, depth + 1), element, depth + 1);
        text.Append('\n');
        Line(text, depth).Append("],");
    }

    private static StringBuilder Line(StringBuilder text, int depth) => text.Append(' ', depth * Indent);
}
