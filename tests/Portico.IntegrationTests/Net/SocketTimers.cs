using System.Globalization;
using System.Net;

namespace Portico.IntegrationTests.Net;

/// <summary>What the kernel waits for on a connection, as Linux tells in /proc/net/tcp.</summary>
internal enum SocketTimer
{
    None = 0,
    Retransmission = 1,
    KeepAlive = 2,
    TimeWait = 3,
    ZeroWindow = 4,
}

/// <summary>Reads /proc/net/tcp: IPv4 connections of this network namespace.</summary>
internal static class SocketTimers
{
    /// <summary>The timer of the end at <paramref name="owner"/>; null when there is no such connection.</summary>
    public static SocketTimer? Of(IPEndPoint owner, IPEndPoint peer)
    {
        return Row(owner, peer) is { } fields
            ? (SocketTimer)int.Parse(fields[5].AsSpan(0, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture)
            : null;
    }

    /// <summary>This process's descriptor of the end at <paramref name="owner"/>, whatever holds it.</summary>
    public static int Descriptor(IPEndPoint owner, IPEndPoint peer)
    {
        var socket = $"socket:[{Row(owner, peer)![9]}]";
        return int.Parse(
            Directory.EnumerateFiles("/proc/self/fd").Single(path => new FileInfo(path).LinkTarget == socket)["/proc/self/fd/".Length..],
            CultureInfo.InvariantCulture);
    }

    private static string[]? Row(IPEndPoint owner, IPEndPoint peer) =>
        File.ReadLines("/proc/net/tcp").Skip(1)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .FirstOrDefault(fields => fields[1] == Text(owner) && fields[2] == Text(peer));

    // The address as the number that this machine reads from memory, the port as a number.
    private static string Text(IPEndPoint endpoint) => $"{BitConverter.ToUInt32(endpoint.Address.GetAddressBytes()):X8}:{endpoint.Port:X4}";
}
