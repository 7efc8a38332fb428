using System.Net;
using System.Net.Sockets;
using Portico.Core.Background;
using Portico.Core.Options;

namespace Portico.Doctor.Checks;

/// <summary>Can each listener have its port, or who has it?</summary>
/// <param name="settings">Of the proxy.</param>
/// <param name="holder">The proxy that runs with this data directory; null = none.</param>
/// <param name="table">Whose the ports are.</param>
internal sealed class PortCheck(ProxySettings settings, DataDirectoryHolder? holder, TcpTable table) : ICheck
{
    public string Name => "port";

    public Task<IReadOnlyList<Finding>> RunAsync(CancellationToken stop) =>
        Task.FromResult<IReadOnlyList<Finding>>([.. settings.Listeners.Select(listener => Judge(listener.Address, stop))]);

    private Finding Judge(IPEndPoint wanted, CancellationToken stop)
    {
        if (holder is not null && (wanted.Port == 0 ? holder.Endpoints.Any() : holder.Endpoints.Any(ours => ours.Port == wanted.Port)))
        {
            return Diagnoses.PortOurs.Found(
                $"{string.Join(", ", wanted.Port == 0 ? holder.Endpoints : holder.Endpoints.Where(ours => ours.Port == wanted.Port))}: "
                    + $"a running Portico with this data directory listens there ({Shown(holder.ProcessId)})");
        }

        return TryBind(wanted) switch
        {
            SocketError.Success => Diagnoses.PortFree.Found($"{wanted} is free"),
            SocketError.AccessDenied => Diagnoses.PortForbidden.Found(
                $"this user may not listen on {wanted}: ports below 1024 need a right",
                "AmbientCapabilities=CAP_NET_BIND_SERVICE in the service, or "
                    + "`setcap cap_net_bind_service=+ep /usr/local/bin/portico`; "
                    + "nothing if only the service has that right and you ran this by hand"),
            SocketError.AddressNotAvailable => Diagnoses.PortNoAddress.Found(
                $"this machine does not have the address {wanted.Address}",
                "set address of the listener to \"::\", or to one of this machine's"),
            SocketError.AddressAlreadyInUse => Diagnoses.PortTaken.Found(
                $"{wanted} is taken by {OwnerOf(wanted.Port, stop)}: a start would fail",
                "stop that program, or set port of the listener to another one, and the links with it"),
            var error => Diagnoses.PortNoAddress.Found(
                $"{wanted} cannot be listened on ({error})", "correct address and port of the listener"),
        };
    }

    private static string Shown(int? process) => process is { } id ? $"process {id}" : "its process is not known";

    private static SocketError TryBind(IPEndPoint wanted)
    {
        // "::" takes both families, and where there is no IPv6, IPv4 alone.
        var isAny = wanted.Address.Equals(IPAddress.IPv6Any);
        if (isAny && !Socket.OSSupportsIPv6) wanted = new IPEndPoint(IPAddress.Any, wanted.Port);
        try
        {
            using var socket = new Socket(wanted.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            if (wanted.AddressFamily == AddressFamily.InterNetworkV6) socket.DualMode = isAny;
            socket.Bind(wanted);
            socket.Listen(1); // two may be bound to a port that nobody listens on
            return SocketError.Success;
        }
        catch (SocketException problem)
        {
            return problem.SocketErrorCode;
        }
    }

    private string OwnerOf(int port, CancellationToken stop)
    {
        foreach (var entry in table.Entries().Where(entry => entry.IsListening && entry.Local.Port == port))
        {
            if (table.OwnerOf(entry.Inode, stop) is { } owner)
                return $"{owner.Name} (process {owner.Id})";
        }

        return "another program, which this user may not see (`sudo ss -ltnp` names it)";
    }
}
