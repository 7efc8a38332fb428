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
        foreach (var line in File.ReadLines("/proc/net/tcp").Skip(1))
        {
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields[1] == Text(owner) && fields[2] == Text(peer))
                return (SocketTimer)int.Parse(fields[5].AsSpan(0, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        }

        return null;
    }

    // The address as the number that this machine reads from memory, the port as a number.
    private static string Text(IPEndPoint endpoint) => $"{BitConverter.ToUInt32(endpoint.Address.GetAddressBytes()):X8}:{endpoint.Port:X4}";
}
