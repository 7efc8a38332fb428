using System.Buffers.Binary;
using System.Globalization;
using System.Net;

namespace Portico.Doctor;

/// <summary>One line of /proc/net/tcp or tcp6 (man 5 proc).</summary>
/// <param name="Local">This side; IPv4 also where a dual-stack socket has it.</param>
/// <param name="Remote">The other side.</param>
/// <param name="State">10 = it listens, 1 = it stands.</param>
/// <param name="Inode">Of the socket.</param>
internal readonly record struct TcpEntry(IPEndPoint Local, IPEndPoint Remote, int State, string Inode)
{
    public bool IsListening => State == 10;

    public bool IsEstablished => State == 1;
}

/// <summary>Who is connected here and who listens, as the kernel tells.</summary>
internal sealed class TcpTable(MachineFiles files)
{
    /// <summary>All sockets of this network namespace.</summary>
    public IEnumerable<TcpEntry> Entries() =>
        files.Lines("proc/net/tcp").Concat(files.Lines("proc/net/tcp6")).Select(Read).OfType<TcpEntry>();

    /// <summary>The process that has a socket; null where this user may not know.</summary>
    public (int Id, string Name)? OwnerOf(string inode, CancellationToken stop)
    {
        var wanted = $"socket:[{inode}]";
        foreach (var id in files.Processes())
        {
            stop.ThrowIfCancellationRequested();
            if (files.LinksIn($"proc/{id}/fd").Contains(wanted))
                return (id, files.Read($"proc/{id}/comm")?.Trim() ?? "?");
        }

        return null;
    }

    private static TcpEntry? Read(string line)
    {
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length < 10 || EndpointOf(words[1]) is not { } local || EndpointOf(words[2]) is not { } remote)
            return null;
        return int.TryParse(words[3], NumberStyles.HexNumber, null, out var state) ? new TcpEntry(local, remote, state, words[9]) : null;
    }

    // The address in words of 32 bits, each as a number of this machine: little-endian wherever .NET runs.
    private static IPEndPoint? EndpointOf(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon is not (8 or 32) || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.HexNumber, null, out var port))
            return null;
        var bytes = new byte[colon / 2];
        for (var i = 0; i < bytes.Length; i += sizeof(uint))
        {
            if (!uint.TryParse(text.AsSpan(2 * i, 2 * sizeof(uint)), NumberStyles.HexNumber, null, out var word))
                return null;
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(i), word);
        }

        var address = new IPAddress(bytes);
        return new IPEndPoint(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, port);
    }
}
