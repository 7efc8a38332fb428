using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Portico.Admin.Doors;

/// <summary>By which way a connection came.</summary>
/// <param name="IsSocket">By the unix socket: whoever may open the file may do everything.</param>
/// <param name="Caller">Who it is, for the audit.</param>
internal sealed record Door(bool IsSocket, string Caller)
{
    private const int SocketLevel = 1, PeerCredentials = 17;

    /// <summary>Who sent a request.</summary>
    public static string CallerOf(HttpContext context) => Of(context)?.Caller ?? "an unknown caller";

    /// <summary>By which way a request came; null = by none of ours, as in a test without sockets.</summary>
    public static Door? Of(HttpContext context) => context.Features.Get<Door>();

    /// <summary>Of a new connection.</summary>
    public static Door Of(ConnectionContext connection)
    {
        var socket = connection.Features.Get<IConnectionSocketFeature>()?.Socket;
        if (socket?.AddressFamily == AddressFamily.Unix) return new Door(true, PeerOf(socket));
        return new Door(false, connection.RemoteEndPoint is IPEndPoint remote ? remote.ToString() : "an unknown address");
    }

    // Process, user and group, as the kernel knew them when the connection was made (man 7 unix).
    private static string PeerOf(Socket socket)
    {
        const string Unknown = "the unix socket";
        if (!OperatingSystem.IsLinux()) return Unknown;
        Span<byte> credentials = stackalloc byte[12];
        try
        {
            if (socket.GetRawSocketOption(SocketLevel, PeerCredentials, credentials) != credentials.Length)
                return Unknown;
        }
        catch (SocketException)
        {
            return Unknown;
        }

        var (process, user) = (Read(credentials), Read(credentials[sizeof(int)..]));
        return string.Create(CultureInfo.InvariantCulture, $"user {user} (process {process}) over the unix socket");

        static int Read(ReadOnlySpan<byte> bytes) =>
            BitConverter.IsLittleEndian ? BinaryPrimitives.ReadInt32LittleEndian(bytes) : BinaryPrimitives.ReadInt32BigEndian(bytes);
    }
}
