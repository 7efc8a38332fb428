using Portico.Core.Cover.Learning;
using Portico.Core.Options;
using Portico.Protocol.FakeTls;

namespace Portico.Doctor.Checks;

/// <summary>Is there a site for strangers, and can our answer be told from its?</summary>
/// <param name="settings">Of the proxy.</param>
/// <param name="ask">How the cover answers for a domain.</param>
/// <param name="access">Whether it may be asked.</param>
internal sealed class CoverCheck(
    ProxySettings settings, Func<string, CancellationToken, Task<FlightSnapshot>> ask, NetworkAccess access) : ICheck
{
    private const int MostDomains = 8;

    private const string Another = "take another site as cover.target";

    public string Name => "cover";

    /// <summary>With the real world.</summary>
    public static CoverCheck Of(ProxySettings settings, OwnAddresses own, NetworkAccess access, TimeProvider time) => new(
        settings,
        (domain, stop) => CoverInspection.AskAsync(
            settings, domain, host => access.FindAsync(host, stop), () => own.Local, access.Patience, time, stop),
        access);

    public async Task<IReadOnlyList<Finding>> RunAsync(CancellationToken stop)
    {
        if (settings.Cover.IsWebHost || settings.Listeners.All(listener => listener.Protocols == ClientProtocols.None))
            return [Diagnoses.CoverIsWebHost.Found("strangers are visitors of the WEB host")];
        if (settings.Cover.Mode == CoverMode.Off)
        {
            return
            [
                Diagnoses.CoverOff.Found(
                    "there is none: a prober sees a closed connection where a web site should be",
                    "cover.mode \"fixed\" and cover.target, for example \"www.example.com:443\", the site of the listener's domain"),
            ];
        }

        var domains = settings.Listeners.Where(listener => listener.Protocols.HasFlag(ClientProtocols.FakeTls))
            .Select(listener => listener.Domain).OfType<string>().Distinct(StringComparer.OrdinalIgnoreCase).Take(MostDomains).ToArray();
        var found = await Task.WhenAll(domains.Select(domain => AskAsync(domain, stop)));
        return [.. found.SelectMany(findings => findings)];
    }

    private async Task<IReadOnlyList<Finding>> AskAsync(string domain, CancellationToken stop)
    {
        if (settings.Cover.Target is { } target)
        {
            if (IsOurselvesByName(target)) return [Loop($"{target}")];
            if (!access.MayAsk(target)) return [Diagnoses.Offline.Found($"{target} was not asked")];
        }
        else if (!access.MayAsk(domain))
        {
            return [Diagnoses.Offline.Found($"{domain} was not asked")];
        }

        var shown = await ask(domain, stop);
        return shown.Problem == FlightProblem.None ? [.. Differences(shown)] : [Judge(shown)];
    }

    // Behind NAT the public name leads to a router that sends it back here, which no comparison of addresses finds.
    private bool IsOurselvesByName(CoverTarget target) => target.Host is { } host && settings.Listeners.Any(listener =>
        string.Equals(listener.PublicHost, host, StringComparison.OrdinalIgnoreCase)
        && (listener.PublicPort ?? listener.Address.Port) == target.Port);

    private static Finding Loop(string target) => Diagnoses.CoverLoop.Found(
        $"{target} is a listener of this proxy itself: strangers would go round in circles, and are closed instead",
        "name the web site behind it in cover.target, by the address and port where that listens, for example \"127.0.0.1:8080\"");

    private static Finding Judge(FlightSnapshot shown)
    {
        var (target, domain) = (shown.Target, shown.Domain);
        return shown.Problem switch
        {
            FlightProblem.UnknownHost => Diagnoses.CoverNoAddress.Found(
                $"{target} has no address that this machine can find: strangers are closed without a byte",
                "correct the name in cover.target"),
            FlightProblem.Loop => Loop(target),
            FlightProblem.NotPublic => Diagnoses.CoverPrivate.Found(
                $"{domain} leads to an address that is not public, where the mode sni shows no site",
                "use cover.mode \"fixed\" for a site of your own"),
            FlightProblem.Unreachable => Diagnoses.CoverDown.Found(
                $"{target} cannot be connected to: strangers are closed without a byte", "start the site, or correct cover.target"),
            FlightProblem.Timeout => Diagnoses.CoverSilent.Found(
                $"{target} did not answer in time", $"look at the site and the way to it, or {Another}"),
            FlightProblem.Closed => Diagnoses.CoverCloses.Found(
                $"{target} closes the connection instead of answering a hello for {domain}",
                "if it expects a PROXY header, set cover.proxyProtocol; else correct cover.target"),
            FlightProblem.Alert => Diagnoses.CoverRefusesName.Found(
                $"{target} refuses a hello for {domain} with an alert: it may not know that name",
                "set domain of the listener to a name that the site has a certificate for"),
            FlightProblem.NotTls or FlightProblem.Nonsense => Diagnoses.CoverNoTls.Found(
                $"{target} does not answer as a TLS server does", "name the port where the site speaks HTTPS in cover.target"),
            FlightProblem.NotTls13 => Diagnoses.CoverOldTls.Found(
                $"{target} does not speak TLS 1.3, which our answer pretends to: a prober can tell them apart",
                $"switch TLS 1.3 on there (nginx: ssl_protocols TLSv1.2 TLSv1.3), or {Another}"),
            FlightProblem.RetryRequest => Diagnoses.CoverOtherGroup.Found(
                $"{target} does not take x25519, which our answer always has: a prober can tell them apart",
                $"allow x25519 there (nginx: ssl_ecdh_curve X25519), or {Another}"),
            _ => throw new ArgumentOutOfRangeException(nameof(shown)),
        };
    }

    private static IEnumerable<Finding> Differences(FlightSnapshot shown)
    {
        var (target, domain) = (shown.Target, shown.Domain);
        if (shown.Notices.HasFlag(FlightNotice.TooLarge))
        {
            yield return Diagnoses.CoverTooLarge.Found(
                $"{target} answers for {domain} with {shown.LargestRecord} bytes; ours has at most {ServerFlight.MaxAppDataLength}, "
                    + "as clients on iOS take no more: a prober can tell them apart",
                "a site with a shorter chain of certificates is a better cover (ECDSA instead of RSA)");
        }

        if (shown.Notices.HasFlag(FlightNotice.AnswersPostQuantum))
        {
            yield return Diagnoses.CoverPostQuantum.Found(
                $"{target} answers today's apps with X25519MLKEM768, we with x25519: a prober can tell them apart",
                "a site without X25519MLKEM768 is a better cover (nginx: ssl_ecdh_curve X25519)");
        }

        if (shown.Notices.HasFlag(FlightNotice.OtherExtensions))
        {
            yield return Diagnoses.CoverOtherExtensions.Found(
                $"{target} answers for {domain} with extensions that our hello never has: a prober can tell them apart",
                $"{Another} if you can");
        }

        if (shown.Notices == FlightNotice.None)
        {
            yield return Diagnoses.CoverGood.Found(
                $"{target} answers for {domain} by TLS 1.3, x25519, suite {shown.CipherSuite:x4}, {shown.LargestRecord} bytes: "
                    + "ours can be like it");
        }
    }
}
