using System.Globalization;
using Portico.Core.Background;
using Portico.Core.Options;

namespace Portico.Doctor.Checks;

/// <summary>Do the descriptors suffice for the sessions allowed?</summary>
/// <param name="settings">Of the proxy.</param>
/// <param name="holder">The running proxy, whose own limit counts; a service has another one than a shell.</param>
/// <param name="files">Tells that limit.</param>
/// <param name="ownLimit">What a proxy started from here would have; 0 = no limit.</param>
internal sealed class DescriptorsCheck(
    ProxySettings settings, DataDirectoryHolder? holder, MachineFiles files, Func<long> ownLimit) : ICheck
{
    public string Name => "files";

    public Task<IReadOnlyList<Finding>> RunAsync(CancellationToken stop) => Task.FromResult<IReadOnlyList<Finding>>([Judge()]);

    private Finding Judge()
    {
        var running = LimitOfHolder();
        var limit = running ?? ownLimit();
        var most = Capacity.MostSessions(settings);
        var each = Capacity.DescriptorsPerSession(settings);
        var wanted = (each * most) + (2 * Capacity.MostStrangers(settings)) + Capacity.OwnDescriptors;
        var whose = running is null ? "a start from here may open" : "the running proxy may open";
        if (limit == 0 || limit >= wanted)
        {
            return Diagnoses.DescriptorsEnough.Found(
                $"{whose} {(limit == 0 ? "any number of" : limit)} files; {wanted} are enough for maxConnections");
        }

        var sessions = Math.Max(0, limit - Math.Min(Capacity.OwnDescriptors, limit / 4)) / each;
        var text = $"{whose} {limit} files, enough for some {sessions} sessions; maxConnections allows {most}, which take {wanted}";
        var cure = $"LimitNOFILE={wanted} in the service, --ulimit nofile={wanted}:{wanted} for a container, or a smaller maxConnections";
        return (Capacity.IsFarBelow(sessions, most) ? Diagnoses.DescriptorsTooFew : Diagnoses.DescriptorsFew).Found(text, cure);
    }

    // "Max open files            1024                 524288               files"
    private long? LimitOfHolder()
    {
        const string Row = "Max open files";
        if (holder?.ProcessId is not { } id) return null;
        var line = files.Lines($"proc/{id}/limits").FirstOrDefault(line => line.StartsWith(Row, StringComparison.Ordinal));
        var soft = line?[Row.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        if (soft == "unlimited") return 0;
        return long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : null;
    }
}
