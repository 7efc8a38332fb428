using System.Text;
using System.Text.Json.Serialization.Metadata;
using Portico.Core.Options;

namespace Portico.Configuration;

/// <summary>docs/configuration.md: how a configuration is found and put together, and every key in a table.</summary>
internal static class ConfigurationPage
{
    public static string Text()
    {
        var page = new StringBuilder(Introduction);
        page.Append("| key | type | default | meaning | a change counts |\n|---|---|---|---|---|\n");
        Rows(page, ProxyOptions.TypeInfo, "");
        return page.ToString();
    }

    private const string Introduction = """
        # Configuration

        This page is generated from the options (`dotnet run -c Release --project src/Portico -- docs docs`);
        [portico.sample.json](portico.sample.json) shows the same keys in a file, and
        [portico.schema.json](portico.schema.json) lets an editor check one while you type.

        ## The file

        JSON, in which comments and trailing commas are allowed. Portico looks for it at `--config`, then at
        `PORTICO_CONFIG`, then for `./portico.json`, `/etc/portico/portico.json` and `/var/lib/portico/portico.json`, the one
        of the packages' service. `portico run` writes a new one if there is none, into the current directory, or as a service
        of systemd into its state directory: a fresh secret, fake TLS only, port 8443, direct mode, with `--domain D` the cover
        `D:443` and without it none; only its owner may read it, and a file that exists is never replaced. If a flag or the
        environment brings the secret, no configuration is written.

        A key that is not in the table below is an error, since a misspelt limit would be no limit. Every error is reported
        at once and names its key; `portico check` reports them without starting, and prints what is in force without the
        secrets. Exit code 2 means that the configuration is wrong, 1 that something else is.

        ## Environment and flags

        The environment replaces what the file says, and flags of `portico run` replace both.

        | to set | environment | flag |
        |---|---|---|
        | any key | `PORTICO__timeouts__idleSeconds=600`: two underscores between the parts, case does not matter | |
        | an element of a list | `PORTICO__listeners__0__port=443`: by position, from 0 | |
        | a list of texts | `PORTICO__listeners__0__protocols=fake-tls,secure` | `--protocol fake-tls --protocol secure` |
        | the first listener's port | `PORTICO__listeners__0__port` | `--port 443` |
        | the first listener's secret | `PORTICO__listeners__0__secret` | `--secret-file FILE`; other users can see `--secret HEX` |
        | the first listener's domain | `PORTICO__listeners__0__domain` | `--domain www.example.com` |
        | the way to Telegram | `PORTICO__backend__mode` | `--mode direct` |
        | the first listener's ad tag | `PORTICO__listeners__0__adTag` | `--ad-tag HEX` |
        | the file | `PORTICO_CONFIG` | `--config FILE` |
        | which messages are shown | `PORTICO_LOG_LEVEL` | `--log-level debug` |

        ## Keys

        `[]` stands for a position in a list. The last column says from when a changed value counts in a running proxy: live =
        at once; new sessions = for those that begin from then on; restart = at the next start. The file is read again when it
        says something else, or at SIGHUP: all that needs no start is put in force, or, if there is any error, nothing.


        """;

    private static void Rows(StringBuilder page, JsonTypeInfo type, string path)
    {
        foreach (var property in type.Properties)
        {
            if (OptionAttribute.Of(property) is not { } option) continue;
            var key = path.Length == 0 ? property.Name : $"{path}.{property.Name}";
            var value = property.Options.GetTypeInfo(property.PropertyType);
            var element = value.ElementType is { } elementType ? property.Options.GetTypeInfo(elementType) : null;
            var isSection = value.Kind == JsonTypeInfoKind.Object;
            var standard = OptionAttribute.DefaultOf(property);
            var isAbsent = standard is "null" or "[]" or "{}";
            var meaning = isAbsent && option.Example is { } example ? $"{option.Meaning} Example: `{example}`" : option.Meaning;
            page.Append(
                $"| `{key}` | {TypeOf(option, value, element)} | {(isSection || standard == "null" ? "" : $"`{standard}`")} "
                    + $"| {meaning} | {(isSection ? "" : option.TakesEffect)} |\n");
            if (isSection) Rows(page, value, key);
            if (element?.Kind == JsonTypeInfoKind.Object) Rows(page, element, $"{key}[]");
        }
    }

    private static string TypeOf(OptionAttribute option, JsonTypeInfo type, JsonTypeInfo? element)
    {
        var oneOf = string.Join(", ", option.OneOf.Select(one => $"`{one}`"));
        return type.Kind switch
        {
            JsonTypeInfoKind.Object => "section",
            JsonTypeInfoKind.Dictionary => "section of lists",
            JsonTypeInfoKind.Enumerable when element!.Kind == JsonTypeInfoKind.Object => "list of sections",
            JsonTypeInfoKind.Enumerable => oneOf.Length > 0 ? $"list of {oneOf}" : "list of texts",
            _ when oneOf.Length > 0 => oneOf,
            _ when option.LeastLength > 0 => $"text, {option.LeastLength} characters or more",
            _ when option.ShowsHost => "address of http or https",
            _ when type.Type == typeof(string) => option.Secret ? "32 hexadecimal digits" : "text",
            _ when type.Type == typeof(bool) => "true or false",
            _ when OptionTypes.IsByteSize(type.Type) => "number of bytes",
            _ when option.Minimum == int.MinValue => "whole number",
            _ => $"whole number, {option.Minimum}..{option.Maximum}",
        };
    }
}
