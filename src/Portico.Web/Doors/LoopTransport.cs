using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
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
/// <param name="log">Where lines go; none has anything of a connection.</param>
internal sealed partial class LoopTransport(
    ImmutableArray<EventLoop> loops, Func<EndPoint, Socket> bind, Func<TlsContext?> tls, Func<bool> hasRoom, ILogger log)
    : IConnectionListenerFactory
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
                Arrival.Begin(loops[(int)(next % (uint)loops.Length)], client, isProxied, tls(), listener.Add, OnFault);
            }
            catch (Exception error) when (IsPassing(error))
            {
                // It is the end, or that client has left before it was in.
            }
            catch (Exception error) when (!EventLoop.IsFatal(error))
            {
                // What has no room now may have some later; what is a fault of ours must neither keep others out nor spin.
                if (error is not SocketException) OnFault(error);
                await Task.Delay(Pause, CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception error)
            {
                loops[0].Post(() => ExceptionDispatchInfo.Throw(error));
                throw;
            }
        }
    }

    private static bool IsPassing(Exception error) =>
        error is OperationCanceledException or ObjectDisposedException or SocketException
        {
            SocketErrorCode: SocketError.ConnectionAborted or SocketError.ConnectionReset or SocketError.OperationAborted,
        };

    private void OnFault(Exception error) => Log.Faulted(log, error);

    private static partial class Log
    {
        [LoggerMessage(EventId = 2381, EventName = "WebConnectionFaulted", Level = LogLevel.Error,
            Message = "A connection of the WEB host ended by an exception of the proxy; please report it")]
        public static partial void Faulted(ILogger logger, Exception error);
    }

    private sealed class Listener(Socket socket) : IConnectionListener
    {
        private readonly ConcurrentQueue<LoopConnection> _ready = new();
        private readonly SemaphoreSlim _count = new(0);
        private readonly CancellationTokenSource _end = new();

        public EndPoint EndPoint { get; } = socket.LocalEndPoint!;

        public CancellationToken End => _end.Token;

        /// <summary>A connection for the server.</summary>
        public void Add(LoopConnection connection)
        {
            _ready.Enqueue(connection);
            _count.Release();
            if (End.IsCancellationRequested) CloseLate();
        }

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            await _count.WaitAsync(cancellationToken).ConfigureAwait(false);
            // There is none when a listener is closed, and that is what null says.
            return _ready.TryDequeue(out var connection) ? connection : null;
        }

        public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            await _end.CancelAsync().ConfigureAwait(false);
            CloseLate();
            _count.Release();
            socket.Dispose();
        }

        public ValueTask DisposeAsync() => UnbindAsync();

        // Who comes too late for the server is let go in order.
        private void CloseLate()
        {
            while (_ready.TryDequeue(out var connection)) _ = connection.DisposeAsync().AsTask();
        }
    }
}
