using System.Net;
using System.Net.Sockets;
using Portico.Core.Net;
using Portico.Core.Options;

namespace Portico.Doctor.Checks;

/// <summary>
/// Is the address that the operator says Telegram sees the one that others see? Keys of links to middle proxies are made of it.
/// </summary>
internal sealed class ExternalAddressCheck(ProxySettings settings, OwnAddresses own, bool mayAskAny) : ICheck
{
    public string Name => "external";

    public async Task<IReadOnlyList<Finding>> RunAsync(CancellationToken stop)
    {
        var isSaid = !own.Said.IsEmpty;
        if (!isSaid && !settings.UsesMiddleProxies)
            return [Diagnoses.ExternalUnused.Found("only middle mode needs the external address")];
        if (!mayAskAny && !settings.Middle.IpLookupServices.IsEmpty)
            return [Diagnoses.Offline.Found("no service was asked for the external address")];
        var (seen, problem) = await own.SeenAsync(stop);
        if (seen is null)
        {
            return (own.Said.FirstOrDefault() ?? OfCards()) is { } known
                ? [Diagnoses.ExternalRight.Found($"{known}; nobody else was there to compare ({problem})")]
                : [Diagnoses.ExternalUnknown.Found(
                    $"nobody told under which address Telegram sees this machine ({problem}): links to middle proxies fail behind NAT",
                    "set backend.middle.externalIp, or let backend.middle.ipLookupServices be reached")];
        }

        var said = own.Said.FirstOrDefault(address => address.AddressFamily == seen.AddressFamily);
        if (said is null || said.Equals(seen))
            return [Diagnoses.ExternalRight.Found($"seen from outside as {seen}")];
        return
        [
            Diagnoses.ExternalWrong.Found(
                $"backend.middle.externalIp is {said}, and this machine is seen from outside as {seen}: links to middle proxies fail",
                $"set backend.middle.externalIp to \"{seen}\", or leave it out"),
        ];
    }

    private IPAddress? OfCards() => own.Local.FirstOrDefault(address =>
        address.AddressFamily == AddressFamily.InterNetwork && AddressReach.Of(address) == Reach.World);
}
