using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Portico.Admin.Doors;

/// <summary>
/// Takes so many connections of each door at a time. More wait in the kernel, which costs this process nothing: a thousand callers at once
/// need no more memory than some.
/// </summary>
/// <param name="inner">Who listens.</param>
/// <param name="most">Connections of one door.</param>
/// <param name="hasRoom">Whether there are file descriptors left for one more: without any the process could not go on.</param>
internal sealed class PatientTransport(IConnectionListenerFactory inner, int most, Func<bool> hasRoom) : IConnectionListenerFactory
{
    private static readonly TimeSpan WaitForRoom = TimeSpan.FromMilliseconds(100);

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        new Listener(await inner.BindAsync(endpoint, cancellationToken).ConfigureAwait(false), most, hasRoom);

    private sealed class Listener(IConnectionListener inner, int most, Func<bool> hasRoom) : IConnectionListener
    {
        private readonly SemaphoreSlim _places = new(most);
        private readonly CancellationTokenSource _end = new();

        public EndPoint EndPoint => inner.EndPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            try
            {
                using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _end.Token);
                await _places.WaitAsync(either.Token).ConfigureAwait(false);
                while (!hasRoom()) await Task.Delay(WaitForRoom, either.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_end.IsCancellationRequested)
            {
                return null; // as a listener that is closed says
            }

            var connection = await inner.AcceptAsync(cancellationToken).ConfigureAwait(false);
            if (connection is null) return null;
            connection.Features.Set(Door.Of(connection));
            connection.ConnectionClosed.UnsafeRegister(static places => ((SemaphoreSlim)places!).Release(), _places);
            return connection;
        }

        public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            await _end.CancelAsync().ConfigureAwait(false);
            await inner.UnbindAsync(cancellationToken).ConfigureAwait(false);
        }

        // The places are left to the collector: a connection that closes late gives its own back.
        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
