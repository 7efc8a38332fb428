using System.Text;

namespace Portico.Import;

/// <summary>docs/migrating-from-….md: what to do first, what cannot be kept, and every key of the other proxy with ours, from the
/// converter's rules.</summary>
internal static class MigrationPage
{
    /// <summary>File names and texts. The page about the Erlang proxy is longer than its keys and is written by hand; a test compares
    /// it.</summary>
    public static IEnumerable<(string Name, string Text)> All() =>
        ImportSource.All.Where(source => source.Name != "erlang").Select(source => ($"migrating-from-{source.Name}.md", Text(source)));

    private static string Text(ImportSource source)
    {
        var (file, service, first, lost) = WordsOf(source.Name);
        var page = new StringBuilder($$"""
            # Coming from {{source.Title}}

            This page is generated from the converter's own table (`dotnet run -c Release --project src/Portico -- docs docs`).

            ## What to do first

            1. This writes a configuration with the same secrets, ports and domains, and names every key that has no counterpart.
               Nothing is run or changed of the old proxy's.

               ```bash
               portico import-config --from {{source.Name}} {{file}} --out portico.json
               ```

            2. `portico check --config portico.json` tells what is in force, and `portico link --config portico.json` prints the
               links: they are the ones that people have. Compare one with the old proxy's.
            3. `portico doctor --config portico.json` looks whether this machine, its names and the site in front fit.
            4. Stop the old proxy: {{service}}.
               Start Portico on its ports, and `portico ping` one of the links from elsewhere. To go back, stop Portico and start
               the old one: its files are as they were.

            {{first}}

            ## What cannot be kept

            {{lost}}
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
            page.Append($"| {names} | {(rule.Becomes.Length == 0 ? "*none*" : $"`{rule.Becomes}`")} | {rule.Remark.Replace("|", "\\|")} "
                + $"|\n");
        }

        return page.ToString();
    }

    private static (string File, string Service, string First, string Lost) WordsOf(string name) => name switch
    {
        "mtproxy" => ("/etc/systemd/system/MTProxy.service", "`systemctl disable --now MTProxy`", """
            MTProxy has no configuration file; its command line is read from whatever starts it: a unit of systemd, a script, a
            compose file, or a file that holds nothing else. Variables count where the same file gives them a plain value. Of the
            official image `SECRET`, `TAG` and the published port are read. The cron job that fetched `proxy-secret` and
            `proxy-multi.conf` can go: Portico fetches them by itself and keeps the last good copies.
            """, """
            - Everybody through middle proxies: `backend.mode` is `auto`, so clients without an ad tag go straight to a data
              centre. `"mode": "middle"` is the old way.
            - A cover for each of several `-D`: strangers see the first domain's site.
            """),
        "mtprotoproxy" => ("config.py", "`systemctl disable --now mtprotoproxy`, or `docker compose down`", """
            config.py is a program, and is not run here: names with plain values are read, and everything that would have to be
            worked out is named with its line. The proxy was a single thread; Portico uses all cores but one.
            """, """
            - Limits of a user: connections, quota and a date to come ([keys](#keys)). The links work without them.
            - A SOCKS5 proxy towards Telegram.
            """),
        "mtg" => ("/etc/mtg.toml", "`systemctl disable --now mtg`", """
            mtg is fake TLS for one secret, straight to the data centres, with the secret's own domain behind it: so is what is
            written. Users with secrets of their own can be added beside it (`listeners[].users`), and an ad tag.
            """, """
            - Lists of addresses that are downloaded, SOCKS5 proxies, and a resolver of its own.
            - `only-ipv4` and `only-ipv6`: the other family is tried where the preferred one fails.
            """),
        _ => ("/etc/telemt/telemt.toml", "`systemctl disable --now telemt`", """
            Of telemt's some three hundred keys most tune its pool of links to middle proxies, which here needs no tuning: they are
            named, and can be forgotten. What people notice is kept: users, links, modes, domains, the site behind, ad tags.
            """, """
            - Limits of a user: connections, addresses, rate, quota and a date to come ([keys](#keys)). The links work without them.
            - Upstreams (SOCKS, Shadowsocks), WEB listeners, and a site for each of several names.
            """),
    };
}
