using System.Net;
using System.Net.Sockets;
using Portico.Core.Options;

namespace Portico.Core.Cover.Learning;

/// <summary>Connects to a cover outside the loops, on the thread pool.</summary>
/// <param name="time">The clock of the limit.</param>
/// <param name="isOurs">Tells addresses of our own listeners.</param>
/// <param name="preamble">What the cover expects before a client's bytes, of local and remote address; null = nothing.</param>
internal sealed class CoverConnector(TimeProvider time, Func<IPEndPoint, bool> isOurs, Func<IPEndPoint?, IPEndPoint?, byte[]>? preamble = null)
{
    /// <summary>Connects to the first address that answers.</summary>
    /// <param name="target">Where.</param>
    /// <param name="patience">For all of it.</param>
    /// <param name="stop">Ends it at once.</param>
    public async Task<Connected> ConnectAsync(CoverTarget target, TimeSpan patience, CancellationToken stop)
    {
        using var limit = new Limit(patience, time, stop);
        try
        {
            if (target.UnixPath is { } path) return await TryAsync(new UnixDomainSocketEndPoint(path), limit.Token).ConfigureAwait(false);
            var addresses = target.Address is { } address ? [address.Address] : await Dns.GetHostAddressesAsync(target.Host!, limit.Token).ConfigureAwait(false);
            var problem = FlightProblem.UnknownHost;
            for (var i = 0; i < addresses.Length; i++)
            {
                var endpoint = new IPEndPoint(addresses[i], target.Port);
                if (isOurs(endpoint)) return new Connected(null, FlightProblem.Loop);
                // An address that swallows packets leaves time for the ones behind it.
                using var share = new Limit(patience / addresses.Length, time, limit.Token);
                try
                {
                    var connected = await TryAsync(endpoint, share.Token).ConfigureAwait(false);
                    if (connected.Socket is not null) return connected;
                    problem = connected.Problem;
                }
                catch (OperationCanceledException) when (share.IsReached)
                {
                    problem = FlightProblem.Timeout;
                }
            }

            return new Connected(null, problem);
        }
        catch (SocketException)
        {
            return new Connected(null, FlightProblem.UnknownHost);
        }
        catch (OperationCanceledException) when (limit.IsReached)
        {
            return new Connected(null, FlightProblem.Timeout);
        }
    }

    private async Task<Connected> TryAsync(EndPoint endpoint, CancellationToken stop)
    {
        var socket = endpoint is IPEndPoint
            ? new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }
            : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(endpoint, stop).ConfigureAwait(false);
            return new Connected(socket, FlightProblem.None) { Preamble = preamble?.Invoke(socket.LocalEndPoint as IPEndPoint, socket.RemoteEndPoint as IPEndPoint) ?? [] };
        }
        catch (SocketException)
        {
            socket.Dispose();
            return new Connected(null, FlightProblem.Unreachable);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>A connection to a cover, or why there is none.</summary>
/// <param name="Socket">To be disposed of by who asked.</param>
/// <param name="Problem">None with a socket.</param>
internal readonly record struct Connected(Socket? Socket, FlightProblem Problem)
{
    /// <summary>To be sent first.</summary>
    public ReadOnlyMemory<byte> Preamble { get; init; }
}
