using System.Net.Sockets;

namespace Portico.TestKit;

/// <summary>Asks a running proxy as its operator does on the same machine.</summary>
public static class AdminSocket
{
    /// <summary>A client of the socket at a path, which need not be there yet.</summary>
    public static HttpClient Client(string path) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancel) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancel);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    { BaseAddress = new Uri("http://portico/") };
}
