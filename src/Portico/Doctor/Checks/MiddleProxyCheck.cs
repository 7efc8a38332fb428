using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Portico.Core.Options;
using Portico.Core.Telegram;

namespace Portico.Doctor.Checks;

/// <summary>Where clients go through middle proxies: is there a list of them, and do they take connections?</summary>
internal sealed class MiddleProxyCheck(
    ProxySettings settings, Func<CancellationToken, Task<KnownMiddleProxies>> list, NetworkAccess access) : ICheck
{
    // Telegram names some thirty; who keeps a list of their own may name any number.
    private const int MostAddresses = 256;

    private const string Cure =
        "allow outgoing TCP to Telegram's middle proxies (ports 8888, 80 and 443) in the firewall and at the provider";

    public string Name => "middle";

    public async Task<IReadOnlyList<Finding>> RunAsync(CancellationToken stop)
    {
        if (!settings.UsesMiddleProxies)
            return [Diagnoses.MiddleUnused.Found("no client goes through a middle proxy")];
        var findings = new List<Finding>();
        var known = await list(stop);
        if (known.Problem is { } problem)
        {
            findings.Add(Diagnoses.MiddleListOld.Found(
                $"Telegram's list of middle proxies could not be had ({problem}): an older one serves, until Telegram moves them",
                "let this machine reach backend.middle.configUrl"));
        }

        var asked = known.Endpoints.Where(known => access.MayAsk(known.Endpoint.Address)).Take(MostAddresses).ToImmutableArray();
        if (asked.IsEmpty && !known.Endpoints.IsEmpty)
        {
            findings.Add(Diagnoses.Offline.Found("middle proxies outside this machine were not asked"));
            return findings;
        }

        var contacts = await AskAsync([.. asked.Select(known => known.Endpoint).Distinct()], stop);
        findings.AddRange(Judge([.. asked.Select(known => (known.Dc, known.Endpoint, contacts[known.Endpoint]))]));
        return findings;
    }

    private async Task<Dictionary<IPEndPoint, Contact>> AskAsync(IPEndPoint[] endpoints, CancellationToken stop)
    {
        var contacts = await NetworkAccess.AskAllAsync(endpoints, async endpoint =>
        {
            var (socket, contact) = await access.TryDialAsync(endpoint, stop);
            socket?.Dispose();
            return (Endpoint: endpoint, Contact: contact);
        }, stop);
        return contacts.ToDictionary(it => it.Endpoint, it => it.Contact);
    }

    private static IEnumerable<Finding> Judge(ImmutableArray<(short Dc, IPEndPoint Endpoint, Contact Contact)> answers)
    {
        if (answers.All(answer => answer.Contact != Contact.Answers))
        {
            yield return Diagnoses.MiddleNone.Found(
                answers.IsEmpty ? "no middle proxy is known" : $"none of {answers.Length} middle proxies takes a connection", Cure);
            yield break;
        }

        var pools = answers.GroupBy(answer => answer.Dc)
            .OrderBy(pool => Math.Abs((int)pool.Key)).ThenByDescending(pool => pool.Key).ToArray();
        var dead = pools.Where(pool => pool.All(answer => answer.Contact != Contact.Answers)).ToArray();
        yield return Diagnoses.MiddleAnswers.Found(
            $"{pools.Length - dead.Length} of {pools.Length} data centres can be reached through middle proxies");
        foreach (var pool in dead)
        {
            var isRefused = pool.Any(answer => answer.Contact == Contact.Refused);
            var text = $"data centre {pool.Key}: its middle proxies {Shown(pool)} {(isRefused ? "refuse" : "do not answer")}: "
                + "accounts that live there cannot connect";
            yield return (isRefused ? Diagnoses.MiddleRefused : Diagnoses.MiddleSilent).Found(text, Cure);
        }

        // A machine without IPv6 reaches none of those, and needs none.
        var lost = answers.Where(answer =>
            answer.Contact is Contact.Refused or Contact.Silent && dead.All(pool => pool.Key != answer.Dc)).ToArray();
        if (lost.Length > 0)
        {
            var count = lost.DistinctBy(answer => answer.Endpoint).Count();
            yield return Diagnoses.MiddleSomeDead.Found(
                $"{count} addresses do not answer, for example {Shown(lost)}; others of the same data centres do",
                "nothing if it passes; else see the firewall" + (lost.All(IsV6) ? ", or switch IPv6 off that leads nowhere" : ""));
        }
    }

    private static bool IsV6((short Dc, IPEndPoint Endpoint, Contact Contact) answer) =>
        answer.Endpoint.AddressFamily == AddressFamily.InterNetworkV6;

    private static string Shown(IEnumerable<(short Dc, IPEndPoint Endpoint, Contact Contact)> answers) =>
        string.Join(", ", answers.Select(answer => answer.Endpoint).Distinct().Take(3));
}
