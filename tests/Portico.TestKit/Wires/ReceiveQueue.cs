using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Portico.TestKit.Wires;

/// <summary>
/// Looks from outside whether a process has read what was sent to it,
/// in the kernel's table of connections. That makes the borders of a peer's reads certain
/// without pauses that are too short on a loaded machine and too long on all others.
/// </summary>
internal static class ReceiveQueue
{
    private const string Table = "/proc/net/tcp";

    /// <summary>Returns at once where there is no such table, or when the connection is no longer in it.</summary>
    internal static async Task UntilEmptyAsync(IPEndPoint owner, IPEndPoint peer)
    {
        if (!File.Exists(Table) || owner.AddressFamily != AddressFamily.InterNetwork)
            return;
        var row = $" {Hex(owner)} {Hex(peer)} ";
        using var clock = new CancellationTokenSource(Wire.Patience);
        while (Bytes(row) > 0)
        {
            clock.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    /// <summary>The table prints addresses as host-order words and ports as plain numbers.</summary>
    private static string Hex(IPEndPoint endpoint) => $"{BitConverter.ToUInt32(endpoint.Address.GetAddressBytes()):X8}:{endpoint.Port:X4}";

    private static int Bytes(string row)
    {
        foreach (var line in File.ReadLines(Table))
        {
            var at = line.IndexOf(row, StringComparison.Ordinal);
            if (at < 0)
                continue;
            // behind the addresses: state, then tx_queue:rx_queue in hex
            var queues = line[(at + row.Length)..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
            return int.Parse(
                queues.AsSpan(queues.IndexOf(':', StringComparison.Ordinal) + 1),
                NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        }
        return 0;
    }
}
