using System.Net.Sockets;

namespace Portico.Web.Doors;

/// <summary>Unix sockets that processes have left behind which were killed. Each process has one of its own name.</summary>
internal static class StaleSockets
{
    /// <summary>Removes those beside one, where nobody listens any more.</summary>
    /// <param name="own">Of this process.</param>
    public static void Remove(string own)
    {
        var directory = Path.GetDirectoryName(own)!;
        if (!Directory.Exists(directory)) return;
        foreach (var path in Directory.EnumerateFiles(directory, "web-*.sock"))
        {
            if (path != own && IsDead(path)) File.Delete(path);
        }
    }

    private static bool IsDead(string path)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return false;
        }
        catch (SocketException refused)
        {
            return refused.SocketErrorCode == SocketError.ConnectionRefused;
        }
    }
}
