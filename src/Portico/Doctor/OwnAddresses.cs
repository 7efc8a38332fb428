using System.Collections.Immutable;
using System.Net;
using Portico.Core.Options;
using Portico.Core.Telegram;
using Portico.Links;

namespace Portico.Doctor;

/// <summary>The addresses of this machine: its own, what the operator says, and what services outside see. Asked once for all.</summary>
internal sealed class OwnAddresses(
    MiddleProxySettings middle, Func<IEnumerable<IPAddress>> ofMachine,
    Func<CancellationToken, Task<(IPAddress? Address, string Problem)>> askSeen)
{
    private readonly Lock _gate = new();
    private Task<(IPAddress? Address, string Problem)>? _seen;

    /// <summary>Of the network cards.</summary>
    public ImmutableArray<IPAddress> Local { get; } = [.. ofMachine()];

    /// <summary>What the operator says.</summary>
    public ImmutableArray<IPAddress> Said { get; } = [.. new[] { middle.ExternalV4, middle.ExternalV6 }.OfType<IPAddress>()];

    /// <summary>With the real machine and the services of the configuration that may be asked.</summary>
    public static OwnAddresses Of(ProxySettings settings, NetworkAccess access, TimeProvider time)
    {
        ImmutableArray<Uri> services = [.. settings.Middle.IpLookupServices.Where(service => access.MayAsk(service.Host))];
        return new(settings.Middle, PublicAddress.OfThisMachine, async stop =>
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
            limit.CancelAfter(1.5 * access.Patience); // they are asked in turn, and may all be silent
            try
            {
                return await AddressServices.AskAsync(services, access.Patience / 2, time, limit.Token);
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                return (null, "no service answered");
            }
        });
    }

    /// <summary>What somebody outside sees; null and why not.</summary>
    public Task<(IPAddress? Address, string Problem)> SeenAsync(CancellationToken stop)
    {
        lock (_gate) return _seen ??= askSeen(stop);
    }

    /// <summary>All of them together.</summary>
    public async Task<ImmutableHashSet<IPAddress>> AllAsync(CancellationToken stop)
    {
        var (seen, _) = await SeenAsync(stop);
        var known = Local.Concat(Said);
        return [.. seen is null ? known : known.Append(seen)];
    }
}
