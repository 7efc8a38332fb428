using System.Net.Sockets;

namespace Portico.Admin.Doors;

/// <summary>Makes the file of the unix socket.</summary>
internal static class SocketFile
{
    // Of open(2) on a socket: no such device or address.
    private const int IsASocket = 6;

    private const UnixFileMode OwnerAndGroup =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    /// <summary>Binds, with the rights 0660 before anybody can connect.</summary>
    /// <param name="path">Absolute. What a dead process left there is replaced.</param>
    /// <param name="problem">Why it could not be made.</param>
    public static Socket? TryBind(string path, out string? problem)
    {
        problem = null;
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            if (File.Exists(path) && Occupant(path) is { } occupant)
            {
                problem = $"{path}: {occupant}";
                socket.Dispose();
                return null;
            }

            File.Delete(path);
            socket.Bind(new UnixDomainSocketEndPoint(path));
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(path, OwnerAndGroup);
            return socket;
        }
        catch (Exception error) when (error is SocketException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            problem = $"{path}: {error.Message.ReplaceLineEndings(" ")}";
            socket.Dispose();
            return null;
        }
    }

    // Null: nobody is behind it.
    private static string? Occupant(string path)
    {
        if (!IsSocket(path)) return "there is something that is no socket";
        using var caller = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            caller.Connect(new UnixDomainSocketEndPoint(path));
            return "another process listens there";
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return null;
        }
        catch (SocketException problem)
        {
            return problem.Message;
        }
    }

    private static bool IsSocket(string path)
    {
        try
        {
            File.OpenHandle(path).Dispose();
            return false;
        }
        catch (IOException problem) when (problem.HResult == IsASocket)
        {
            return true;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
