using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Portico.Protocol.Mtproto;
using Portico.SelfTest;

namespace Portico.Ping;

/// <summary>Asks every data centre by every protocol; the data centres of one protocol side by side, as an app does at its start.</summary>
internal static class PingRun
{
    /// <summary>One result for each protocol, in the order asked for.</summary>
    public static async Task<IReadOnlyList<ProtocolResult>> RunAsync(PingTarget target, PingOptions options, CancellationToken cancel)
    {
        // Once for all, and not before anybody hears of its failure.
        var addresses = new Lazy<Task<IPAddress[]>>(
            () => InTimeAsync("address", options.Timeout, limit => ResolveAsync(target, limit), cancel));
        var results = new List<ProtocolResult>();
        foreach (var manner in options.Manners)
        {
            var asked = options.Dcs.Select(dc => AskAsync(target, addresses, options, manner, dc, cancel));
            results.Add(new(manner.Name, await Task.WhenAll(asked)));
        }

        return results;
    }

    private static async Task<PingResult> AskAsync(
        PingTarget target, Lazy<Task<IPAddress[]>> addresses, PingOptions options, ClientManner manner, short dc, CancellationToken cancel)
    {
        var (answers, errors) = (new List<PingTimes>(), new List<string>());
        for (var i = 0; i < options.Repeat; i++)
        {
            try
            {
                answers.Add(await AskOnceAsync(target, await addresses.Value, manner, dc, options.Timeout, cancel));
            }
            catch (CheckFailedException problem)
            {
                errors.Add(problem.Message);
            }
            catch (SocketException problem)
            {
                errors.Add(problem.SocketErrorCode switch
                {
                    SocketError.ConnectionRefused => "the connection was refused",
                    SocketError.ConnectionReset => "the connection was reset",
                    SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => $"{target.Host} has no address",
                    _ => problem.Message,
                });
            }
        }

        return new(dc, [.. answers], [.. errors.Distinct()]);
    }

    private static async Task<PingTimes> AskOnceAsync(
        PingTarget target, IPAddress[] addresses, ClientManner manner, short dc, TimeSpan timeout, CancellationToken cancel)
    {
        var client = new SelfTestClient(target.Secret, target.Domain);
        var watch = new Stopwatch();
        var socket = await DialAsync(target, addresses, watch, timeout, cancel);
        var tcp = watch.Elapsed.TotalMilliseconds;

        watch.Restart();
        using var connection = await InTimeAsync(
            "handshake", timeout, limit => client.IntroduceAsync(socket, manner, dc, limit), cancel);
        var handshake = manner.IsTls ? watch.Elapsed.TotalMilliseconds : 0;

        watch.Restart();
        var nonce = RandomNumberGenerator.GetBytes(PqMessage.NonceLength);
        var answer = await InTimeAsync("answer", timeout, limit => AnswerAsync(connection, nonce, limit), cancel);
        if (answer is null)
            throw new CheckFailedException("the proxy closed the connection: a wrong secret, or a data centre that it cannot reach");
        if (PqCheck.FaultOf(answer, nonce) is { } fault)
            throw new CheckFailedException(fault);
        return new(tcp, handshake, watch.Elapsed.TotalMilliseconds);
    }

    private static async Task<byte[]?> AnswerAsync(PacketConnection connection, byte[] nonce, CancellationToken cancel)
    {
        await connection.SendAsync(PqCheck.Request(isMulti: true, nonce), cancel);
        return await connection.ReceiveAsync(cancel);
    }

    private static async Task<IPAddress[]> ResolveAsync(PingTarget target, CancellationToken cancel) =>
        IPAddress.TryParse(target.Host, out var given) ? [given] : await Dns.GetHostAddressesAsync(target.Host, cancel);

    // In the order of the system's resolver, each with its own time: the first that takes the connection.
    private static async Task<Socket> DialAsync(
        PingTarget target, IPAddress[] addresses, Stopwatch watch, TimeSpan timeout, CancellationToken cancel)
    {
        for (var i = 0; i < addresses.Length; i++)
        {
            watch.Restart();
            try
            {
                var proxy = new IPEndPoint(addresses[i], target.Port);
                return await InTimeAsync("connection", timeout, limit => SelfTestClient.DialAsync(proxy, limit), cancel);
            }
            catch (Exception problem) when (problem is SocketException or CheckFailedException && i < addresses.Length - 1)
            {
                // The next may be reached, and if none is, the last says why.
            }
        }

        throw new SocketException((int)SocketError.HostNotFound);
    }

    private static async Task<T> InTimeAsync<T>(
        string step, TimeSpan timeout, Func<CancellationToken, Task<T>> act, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(timeout);
        try
        {
            return await act(limit.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new CheckFailedException($"no {step} within {timeout.TotalMilliseconds:0} ms");
        }
    }
}
