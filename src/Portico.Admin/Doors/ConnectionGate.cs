using Microsoft.AspNetCore.Connections;

namespace Portico.Admin.Doors;

/// <summary>
/// Lets so many connections of one door be served at a time; others wait for a place, which costs little more than their sockets.
/// </summary>
internal sealed class ConnectionGate(int most) : IDisposable
{
    private readonly SemaphoreSlim _places = new(most);

    /// <summary>Serves one connection as soon as there is a place.</summary>
    public async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        try
        {
            await _places.WaitAsync(connection.ConnectionClosed).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return; // it has left
        }

        try
        {
            connection.Features.Set(Door.Of(connection));
            await next(connection).ConfigureAwait(false);
        }
        finally
        {
            _places.Release();
        }
    }

    public void Dispose() => _places.Dispose();
}
