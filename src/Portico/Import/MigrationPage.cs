using System.Text;

namespace Portico.Import;

/// <summary>docs/migrating-from-….md: what to do first, what cannot be kept, and every key of the other proxy with ours, from the
/// converter's rules.</summary>
internal static class MigrationPage
{
    /// <summary>File names and texts. The page about the Erlang proxy is longer than its keys and is written by hand; a test compares
    /// it.</summary>
    public static IEnumerable<(string Name, string Text)> All() =>
        from source in ImportSource.All
        where source.Words is not null
        select ($"migrating-from-{source.Name}.md", Text(source, source.Words!));

    private static string Text(ImportSource source, MigrationWords words)
    {
        var page = new StringBuilder($$"""
            # Coming from {{source.Title}}

            This page is generated from the converter's own table (`dotnet run -c Release --project src/Portico -- docs docs`).

            ## What to do first

            1. This writes a configuration with the same secrets, ports and domains, and names every key that has no counterpart.
               Nothing is run or changed of the old proxy's.

               ```bash
               portico import-config --from {{source.Name}} {{words.File}} --out portico.json
               ```

            2. `portico check --config portico.json` tells what is in force, and `portico link --config portico.json` prints the
               links: they are the ones that people have. Compare one with the old proxy's.
            3. `portico doctor --config portico.json` looks whether this machine, its names and the site in front fit.
            4. Stop the old proxy: {{words.Stop}}.
               Start Portico on its ports, and `portico ping` one of the links from elsewhere. To go back, stop Portico and start
               the old one: its files are as they were.

            {{words.First}}

            ## What cannot be kept

            {{words.Lost}}
            - What the old proxy remembered of hellos that it saw: for ten minutes after the change one that was recorded there
              could be shown here. Portico refuses hellos signed longer ago than that.
            - Sessions: apps connect again within seconds.

            ## Keys

            *None* has no counterpart: the remark says why, or what to do instead. Our keys are explained in
            [configuration.md](configuration.md). A key that is not in this table is named by the converter as not known.

            | {{source.Name}} | Portico | remark |
            |---|---|---|

            """);
        foreach (var rule in source.Rules)
        {
            var names = string.Join(", ", rule.Aliases.Append(rule.Key).Select(name => $"`{name}`"));
            var becomes = rule.Becomes.Length == 0 ? "*none*" : $"`{rule.Becomes}`";
            page.Append($"| {names} | {becomes} | {rule.Remark.Replace("|", "\\|")} |\n");
        }

        return page.ToString();
    }
}

/// <summary>What the page about one proxy says beside its keys.</summary>
/// <param name="File">Where its file usually is.</param>
/// <param name="Stop">How it is stopped.</param>
/// <param name="First">What is to be known about its file.</param>
/// <param name="Lost">What cannot be kept: points of a list.</param>
internal sealed record MigrationWords(string File, string Stop, string First, string Lost);
