using System.Net.Sockets;

namespace Portico.SelfTest;

/// <summary>Bytes both ways: on a socket, or inside a session of a WEB proxy.</summary>
internal interface IByteWay : IDisposable
{
    /// <summary>Sends every byte.</summary>
    Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel);

    /// <summary>Receives some bytes.</summary>
    /// <returns>How many; 0 = the other side has finished.</returns>
    ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancel);
}

/// <summary>A socket, which it takes over.</summary>
internal sealed class SocketWay(Socket socket) : IByteWay
{
    public Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel) => socket.SendWholeAsync(bytes, cancel);

    public ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancel) => socket.ReceiveAsync(buffer, cancel);

    public void Dispose() => socket.Dispose();
}
