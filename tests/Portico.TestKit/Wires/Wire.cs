using System.Net;
using System.Net.Sockets;

namespace Portico.TestKit.Wires;

/// <summary>A TCP connection whose ends are values. One reader and one writer at a time.</summary>
public sealed class Wire : IAsyncDisposable
{
    /// <summary>Long enough for a loaded machine; a test that gets here has failed.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    // Of a Unix socket.
    private static readonly IPEndPoint NoAddress = new(IPAddress.None, 0);

    private readonly Socket _socket;
    private CancellationTokenSource _clock = new();

    internal Wire(Socket socket)
    {
        _socket = socket;
        if (socket.AddressFamily != AddressFamily.Unix)
            socket.NoDelay = true;
        Local = socket.LocalEndPoint as IPEndPoint ?? NoAddress;
        Remote = socket.RemoteEndPoint as IPEndPoint ?? NoAddress;
    }

    public IPEndPoint Local { get; }

    public IPEndPoint Remote { get; }

    /// <param name="endpoint">Who to call.</param>
    /// <param name="receiveBuffer">Bytes the kernel may hold for a slow reader; 0 = the system's choice.</param>
    public static async Task<Wire> ConnectAsync(IPEndPoint endpoint, int receiveBuffer = 0)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (receiveBuffer > 0)
                socket.ReceiveBufferSize = receiveBuffer;
            using var clock = new CancellationTokenSource(Patience);
            await socket.ConnectAsync(endpoint, clock.Token);
            return new Wire(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Takes over what a listener has accepted. Null if the caller has reset the connection already:
    /// nobody is at the other end any more, and the socket says so.
    /// </summary>
    internal static Wire? TryWrap(Socket accepted)
    {
        try
        {
            return new Wire(accepted);
        }
        catch (SocketException)
        {
            accepted.Dispose();
            return null;
        }
    }

    /// <summary>Sends everything, in writes of <paramref name="piece"/> bytes.</summary>
    /// <param name="bytes">What to send.</param>
    /// <param name="piece">Bytes per write.</param>
    /// <param name="settled">
    /// Send a piece only after the peer has read the one before, so that its reads
    /// end where our writes do (Linux; elsewhere the pieces may arrive together).
    /// </param>
    /// <exception cref="SocketException">The peer has gone.</exception>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes, int piece = int.MaxValue, bool settled = false)
    {
        while (!bytes.IsEmpty)
        {
            var now = bytes[..Math.Min(piece, bytes.Length)];
            bytes = bytes[now.Length..];
            while (!now.IsEmpty)
                now = now[await _socket.SendAsync(now, SocketFlags.None)..];
            if (settled)
                await ReceiveQueue.UntilEmptyAsync(owner: Remote, peer: Local);
        }
    }

    /// <summary>One byte of urgent data.</summary>
    public Task SendUrgentAsync(byte value) => _socket.SendAsync(new[] { value }, SocketFlags.OutOfBand);

    /// <summary>As <see cref="SendAsync"/>; false when the peer has gone.</summary>
    public async Task<bool> TrySendAsync(ReadOnlyMemory<byte> bytes, int piece = int.MaxValue)
    {
        try
        {
            await SendAsync(bytes, piece);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>The next bytes, or how it ended. Never throws for what a peer does.</summary>
    public async ValueTask<(int Count, PeerEnd End)> ReadSomeAsync(Memory<byte> buffer, TimeSpan? patience = null)
    {
        if (!_clock.TryReset())
        {
            _clock.Dispose();
            _clock = new CancellationTokenSource();
        }
        _clock.CancelAfter(patience ?? Patience);
        try
        {
            var count = await _socket.ReceiveAsync(buffer, SocketFlags.None, _clock.Token);
            return (count, count == 0 ? PeerEnd.Fin : PeerEnd.None);
        }
        catch (OperationCanceledException)
        {
            return (0, PeerEnd.Timeout);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted)
        {
            return (0, PeerEnd.Reset);
        }
    }

    /// <summary>Exactly <paramref name="count"/> bytes.</summary>
    /// <exception cref="PeerSurpriseException">The peer ended first.</exception>
    public async Task<byte[]> ReadExactlyAsync(int count)
    {
        var bytes = new byte[count];
        var filled = 0;
        while (filled < count)
        {
            var (got, end) = await ReadSomeAsync(bytes.AsMemory(filled));
            if (end != PeerEnd.None)
                throw new PeerSurpriseException($"expected {count} bytes, got {new Received(bytes[..filled], end)}");
            filled += got;
        }
        return bytes;
    }

    /// <summary>Reads until the peer ends, or sends nothing for <paramref name="patience"/>.</summary>
    public async Task<Received> ReadToEndAsync(TimeSpan? patience = null)
    {
        using var all = new MemoryStream();
        var buffer = new byte[65536];
        while (true)
        {
            var (count, end) = await ReadSomeAsync(buffer, patience);
            if (end != PeerEnd.None)
                return new Received(all.ToArray(), end);
            all.Write(buffer, 0, count);
        }
    }

    /// <summary>FIN: we are done sending and go on reading.</summary>
    public void FinishSending() => _socket.Shutdown(SocketShutdown.Send);

    /// <summary>RST.</summary>
    public void Reset()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Close();
    }

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        _clock.Dispose();
        return ValueTask.CompletedTask;
    }
}
