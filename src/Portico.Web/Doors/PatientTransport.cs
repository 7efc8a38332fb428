using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Portico.Web.Doors;

/// <summary>
/// Takes connections only while there are file descriptors left for the rest of the process. More wait in the kernel; the web server would
/// try again and again without a pause.
/// </summary>
/// <param name="inner">Who listens.</param>
/// <param name="hasRoom">Whether there are descriptors left for one more.</param>
internal sealed class PatientTransport(IConnectionListenerFactory inner, Func<bool> hasRoom) : IConnectionListenerFactory
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        new Listener(await inner.BindAsync(endpoint, cancellationToken).ConfigureAwait(false), hasRoom);

    private sealed class Listener(IConnectionListener inner, Func<bool> hasRoom) : IConnectionListener
    {
        private readonly CancellationTokenSource _end = new();

        public EndPoint EndPoint => inner.EndPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _end.Token);
            try
            {
                while (!hasRoom()) await Task.Delay(Pause, either.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_end.IsCancellationRequested)
            {
                return null; // as a listener that is closed says
            }

            return await inner.AcceptAsync(cancellationToken).ConfigureAwait(false);
        }

        public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            await _end.CancelAsync().ConfigureAwait(false);
            await inner.UnbindAsync(cancellationToken).ConfigureAwait(false);
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
