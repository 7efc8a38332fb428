using System.Globalization;

namespace Portico.Doctor.Checks;

/// <summary>Are the kernel's limits those of a machine with 10 000 clients?</summary>
internal sealed class KernelCheck(MachineFiles files) : ICheck
{
    private const long LeastBacklog = 1024, LeastPorts = 20_000, LeastFiles = 65_536, LeastTcpBytes = 256L << 20;

    public string Name => "kernel";

    public Task<IReadOnlyList<Finding>> RunAsync(CancellationToken stop)
    {
        if (files.Number("proc/sys/net/core/somaxconn") is null)
            return Task.FromResult<IReadOnlyList<Finding>>([Diagnoses.KernelUnknown.Found("this system does not tell its settings")]);
        Finding[] findings = [.. Low()];
        return Task.FromResult<IReadOnlyList<Finding>>(
            findings.Length > 0 ? findings : [Diagnoses.KernelReady.Found("its limits are enough for 10 000 clients")]);
    }

    private IEnumerable<Finding> Low()
    {
        if (files.Number("proc/sys/net/core/somaxconn") is { } backlog and < LeastBacklog)
        {
            yield return Diagnoses.KernelLow.Found(
                $"net.core.somaxconn is {backlog}: when all phones come back at once, some connections are dropped",
                "sysctl -w net.core.somaxconn=4096");
        }

        if (Numbers("proc/sys/net/ipv4/ip_local_port_range") is [var first, var last] && last - first + 1 < LeastPorts)
        {
            yield return Diagnoses.KernelLow.Found(
                $"net.ipv4.ip_local_port_range has {last - first + 1} ports: "
                    + "no more direct clients can be at one address of a data centre",
                "sysctl -w net.ipv4.ip_local_port_range=\"10240 65535\"");
        }

        if (files.Number("proc/sys/net/ipv4/tcp_tw_reuse") == 0)
        {
            yield return Diagnoses.KernelLow.Found(
                "net.ipv4.tcp_tw_reuse is 0: the port of each visit to a cover on another machine is out of use for a minute",
                "sysctl -w net.ipv4.tcp_tw_reuse=1");
        }

        if (files.Number("proc/sys/fs/file-max") is { } most and < LeastFiles)
            yield return Diagnoses.KernelLow.Found($"fs.file-max is {most} for the whole machine", "sysctl -w fs.file-max=262144");

        if (Numbers("proc/sys/net/ipv4/tcp_mem") is [_, _, var pages] && pages * Environment.SystemPageSize < LeastTcpBytes)
        {
            yield return Diagnoses.KernelLow.Found(
                $"net.ipv4.tcp_mem ends at {pages * Environment.SystemPageSize >> 20} MB for all sockets: "
                    + "beyond, the kernel drops data of everybody",
                "sysctl -w net.ipv4.tcp_mem=\"65536 98304 131072\"");
        }
    }

    private long[]? Numbers(string path)
    {
        var words = files.Read(path)?.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return words is not null && words.All(word => long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            ? [.. words.Select(word => long.Parse(word, CultureInfo.InvariantCulture))]
            : null;
    }
}
