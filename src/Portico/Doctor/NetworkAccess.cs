using System.Net;
using System.Net.Sockets;
using Portico.Core.Options;
using Portico.SelfTest;

namespace Portico.Doctor;

/// <summary>How checks reach others: what may be asked at all, names, and connections.</summary>
/// <param name="IsOffline">Nothing may leave this machine: loopback alone is asked.</param>
internal sealed record NetworkAccess(bool IsOffline)
{
    private const int AtATime = 64;

    /// <summary>For one connection, and again for an answer.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>The addresses of a name; none if it has none.</summary>
    public Func<string, CancellationToken, Task<IPAddress[]>> Resolve { get; init; } = Dns.GetHostAddressesAsync;

    /// <summary>A bare connection.</summary>
    public Func<IPEndPoint, CancellationToken, Task<Socket>> Dial { get; init; } = SelfTestClient.DialAsync;

    /// <summary>Whether a host, by name or address, may be asked.</summary>
    public bool MayAsk(string host) =>
        !IsOffline || host == "localhost" || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    /// <summary>Whether an address may be asked.</summary>
    public bool MayAsk(IPAddress address) => !IsOffline || IPAddress.IsLoopback(address);

    /// <summary>Whether a cover may be asked.</summary>
    public bool MayAsk(CoverTarget target) =>
        target.UnixPath is not null || (target.Address is { } endpoint ? MayAsk(endpoint.Address) : MayAsk(target.Host!));

    /// <summary>The addresses of a name; empty if it has none, or nobody can tell.</summary>
    public async Task<IPAddress[]> FindAsync(string host, CancellationToken stop)
    {
        if (IPAddress.TryParse(host, out var given)) return [given];
        try
        {
            var found = await Resolve(host, stop);
            return [.. found.Select(address => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).Distinct()];
        }
        catch (Exception problem) when (problem is SocketException or ArgumentException)
        {
            return [];
        }
    }

    /// <summary>Tries to connect; the socket is null unless it did.</summary>
    public async Task<(Socket? Socket, Contact Contact)> TryDialAsync(IPEndPoint endpoint, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(Patience);
        try
        {
            return (await Dial(endpoint, limit.Token), Contact.Answers);
        }
        catch (SocketException problem)
        {
            return (null, ContactOf(problem.SocketErrorCode));
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return (null, Contact.Silent);
        }
    }

    /// <summary>Asks all of them, a bounded number at a time.</summary>
    public static async Task<TAnswer[]> AskAllAsync<TAsked, TAnswer>(
        IEnumerable<TAsked> all, Func<TAsked, Task<TAnswer>> ask, CancellationToken stop)
    {
        using var places = new SemaphoreSlim(AtATime);
        return await Task.WhenAll(all.Select(async asked =>
        {
            await places.WaitAsync(stop);
            try
            {
                return await ask(asked);
            }
            finally
            {
                places.Release();
            }
        }));
    }

    private static Contact ContactOf(SocketError error) => error switch
    {
        SocketError.ConnectionRefused or SocketError.ConnectionReset => Contact.Refused,
        SocketError.TimedOut => Contact.Silent,
        // no such route, family or local address
        _ => Contact.Unreachable,
    };
}

/// <summary>How it went to talk to somebody.</summary>
internal enum Contact
{
    /// <summary>As hoped.</summary>
    Answers,

    /// <summary>It connects and answers with something else.</summary>
    Wrong,

    /// <summary>Nothing comes.</summary>
    Silent,

    /// <summary>The connection is refused, by it or by something on the way.</summary>
    Refused,

    /// <summary>This machine has no way there.</summary>
    Unreachable,
}
