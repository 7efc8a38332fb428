using System.Net;
using System.Net.Sockets;
using Portico.Core.Options;
using Portico.Protocol.ProxyProtocol;

namespace Portico.Core.Cover.Learning;

/// <summary>
/// Connects to a cover outside the loops, on the thread pool, wherever a stranger would be passed on to and nowhere else.
/// </summary>
/// <param name="directory">Where covers are; it knows our own listeners.</param>
/// <param name="proxyProtocol">Version of the PROXY header that the cover expects; 0 = none.</param>
/// <param name="time">The clock of the limit.</param>
internal sealed class CoverConnector(CoverDirectory directory, int proxyProtocol, TimeProvider time)
{
    /// <summary>Connects to the first address that answers, and says what a cover must hear before the hello.</summary>
    /// <param name="target">Where.</param>
    /// <param name="patience">For all of it.</param>
    /// <param name="stop">Ends it at once.</param>
    public async Task<Connected> ConnectAsync(CoverTarget target, TimeSpan patience, CancellationToken stop)
    {
        using var limit = new Limit(patience, time, stop);
        try
        {
            var found = await FindAsync(target).WaitAsync(limit.Token).ConfigureAwait(false);
            var problem = ProblemOf(found.Finding);
            foreach (var endpoint in found.Addresses)
            {
                // An address that swallows packets leaves time for the ones behind it.
                using var share = new Limit(patience / found.Addresses.Length, time, limit.Token);
                try
                {
                    if (await TryAsync(endpoint, share.Token).ConfigureAwait(false) is { } socket)
                        return new Connected(socket, FlightProblem.None);
                    problem = FlightProblem.Unreachable;
                }
                catch (OperationCanceledException) when (share.IsReached)
                {
                    problem = FlightProblem.Timeout;
                }
            }

            return new Connected(null, problem);
        }
        catch (OperationCanceledException) when (limit.IsReached)
        {
            return new Connected(null, FlightProblem.Timeout);
        }
    }

    private static FlightProblem ProblemOf(CoverFinding finding) => finding switch
    {
        CoverFinding.Found => FlightProblem.None,
        CoverFinding.Loop => FlightProblem.Loop,
        CoverFinding.NotAllowed => FlightProblem.NotPublic,
        _ => FlightProblem.UnknownHost,
    };

    private Task<CoverAnswer> FindAsync(CoverTarget target)
    {
        var later = new TaskCompletionSource<CoverAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        return directory.Find(target, later.SetResult) is { } known ? Task.FromResult(known) : later.Task;
    }

    private async Task<Socket?> TryAsync(EndPoint endpoint, CancellationToken stop)
    {
        Socket? socket = null;
        try
        {
            // Within the guard: while strangers hold all descriptors there is none, and the next round is to be tried all the same.
            socket = new Socket(
                endpoint.AddressFamily, SocketType.Stream, endpoint is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);
            if (endpoint is IPEndPoint) socket.NoDelay = true;
            await socket.ConnectAsync(endpoint, stop).ConfigureAwait(false);
            // A fresh connection takes a hundred bytes whole.
            if (proxyProtocol != 0)
                await socket.SendAsync(Head(socket), SocketFlags.None, stop).ConfigureAwait(false);
            return socket;
        }
        catch (SocketException)
        {
            socket?.Dispose();
            return null;
        }
        catch
        {
            socket?.Dispose();
            throw;
        }
    }

    // The client of this connection is this machine.
    private byte[] Head(Socket socket)
    {
        var header = new byte[ProxyHeader.MaxLength];
        return header[..ProxyHeader.Write(header, proxyProtocol, socket.LocalEndPoint as IPEndPoint, socket.RemoteEndPoint as IPEndPoint)];
    }
}

/// <summary>A connection to a cover, or why there is none.</summary>
/// <param name="Socket">To be disposed of by who asked.</param>
/// <param name="Problem">None with a socket.</param>
internal readonly record struct Connected(Socket? Socket, FlightProblem Problem);
