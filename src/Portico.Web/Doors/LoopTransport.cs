using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Portico.Core.Net;
using Portico.Web.Tls;

namespace Portico.Web.Doors;

/// <summary>
/// Where the web server's connections come from: accepted here while there are file descriptors for them, read and written by the event
/// loops by turns, with TLS where there is a certificate. The server hears of those whose handshake is done.
/// </summary>
/// <param name="loops">Those of the proxy.</param>
/// <param name="bind">Makes a socket that may listen.</param>
/// <param name="tls">For the next connection; null = there is no TLS.</param>
/// <param name="hasRoom">Whether there are descriptors left for one more.</param>
internal sealed class LoopTransport(
    ImmutableArray<EventLoop> loops, Func<EndPoint, Socket> bind, Func<TlsContext?> tls, Func<bool> hasRoom) : IConnectionListenerFactory
{
    private const int Backlog = 512;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        try
        {
            var socket = bind(endpoint);
            socket.Listen(Backlog);
            var listener = new Listener(socket);
            _ = AcceptAllAsync(socket, listener);
            return new(listener);
        }
        catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new AddressInUseException(taken.Message, taken);
        }
    }

    private async Task AcceptAllAsync(Socket socket, Listener listener)
    {
        var isProxied = socket.AddressFamily == AddressFamily.Unix;
        for (var next = 0u; !listener.End.IsCancellationRequested; next++)
        {
            try
            {
                // Until then they wait in the kernel.
                while (!hasRoom()) await Task.Delay(Pause, listener.End).ConfigureAwait(false);
                var client = await socket.AcceptAsync(listener.End).ConfigureAwait(false);
                LoopConnection.Open(loops[(int)(next % (uint)loops.Length)], client, isProxied, tls(), listener.Add);
            }
            catch (Exception error) when (!EventLoop.IsFatal(error))
            {
                // It is the end, or that client has left before it was in. What is neither must not keep others out, nor spin.
                if (error is not (SocketException or OperationCanceledException or ObjectDisposedException))
                    await Task.Delay(Pause).ConfigureAwait(false);
            }
        }
    }

    private sealed class Listener(Socket socket) : IConnectionListener
    {
        private readonly Channel<LoopConnection> _ready = System.Threading.Channels.Channel.CreateUnbounded<LoopConnection>();
        private readonly CancellationTokenSource _end = new();

        public EndPoint EndPoint { get; } = socket.LocalEndPoint!;

        public CancellationToken End => _end.Token;

        /// <summary>A connection for the server.</summary>
        public void Add(LoopConnection connection)
        {
            if (!_ready.Writer.TryWrite(connection))
                connection.Abort(new ConnectionAbortedException());
        }

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            try
            {
                return await _ready.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (ChannelClosedException)
            {
                return null; // as a listener that is closed says
            }
        }

        public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            await _end.CancelAsync().ConfigureAwait(false);
            _ready.Writer.TryComplete();
            socket.Dispose();
        }

        public ValueTask DisposeAsync() => UnbindAsync();
    }
}
