using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using Portico.TestKit.Clients;
using Portico.TestKit.Wires;

namespace Portico.IntegrationTests.Life;

/// <summary>
/// Clients that come at a steady rate, whatever becomes of those before: each gets its flight, some have a packet echoed, and what each
/// began with is sent again by strangers, at once and after some others.
/// </summary>
internal sealed class ConnectLoad : IAsyncDisposable
{
    private const int EchoesOf = 5;

    // Most of a hand-over lies between two that are so far apart.
    private const int Earlier = 50;

    private readonly UpgradableProxy _proxy;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentBag<double> _flightMs = [];
    private readonly ConcurrentBag<string> _failures = [];
    private readonly ConcurrentDictionary<int, byte[]> _hellos = [];
    private readonly Task _coming;
    private int _replaysAnswered;

    /// <summary>Begins.</summary>
    public ConnectLoad(UpgradableProxy proxy, int perSecond)
    {
        _proxy = proxy;
        _coming = ComeAsync(perSecond);
    }

    /// <summary>Clients so far.</summary>
    public int Clients => _flightMs.Count;

    /// <summary>Who was refused, cut or not served, and why.</summary>
    public IReadOnlyCollection<string> Failures => _failures;

    /// <summary>Strangers who got a flight for what a client began with.</summary>
    public int ReplaysAnswered => _replaysAnswered;

    /// <summary>Milliseconds from connect to flight that so many percent of the clients did not exceed.</summary>
    public double FlightMs(double percent)
    {
        var all = _flightMs.Order().ToList();
        return all[Math.Min(all.Count - 1, (int)(all.Count * percent / 100))];
    }

    /// <summary>Nobody comes any more; waits for those who are there.</summary>
    public async Task EndAsync()
    {
        await _stop.CancelAsync();
        await _coming;
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        _stop.Dispose();
    }

    private async Task ComeAsync(int perSecond)
    {
        var (clock, clients) = (Stopwatch.StartNew(), new List<Task>());
        for (var next = 0; !_stop.IsCancellationRequested; next++)
        {
            var wait = TimeSpan.FromSeconds((double)next / perSecond) - clock.Elapsed;
            if (wait > TimeSpan.FromMilliseconds(1)) await Task.Delay(wait);
            clients.Add(ServeAsync(next));
        }

        await Task.WhenAll(clients);
    }

    private async Task ServeAsync(int number)
    {
        try
        {
            var began = Stopwatch.GetTimestamp();
            await using var client = await _proxy.GreetAsync();
            _flightMs.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            if (number % EchoesOf == 0) await client.EchoAsync(500);
            _hellos[number] = client.Hello;
            await RepeatAsync(client.Hello);
            if (_hellos.TryRemove(number - Earlier, out var earlier)) await RepeatAsync(earlier);
        }
        catch (Exception problem) when (problem is SocketException or PeerSurpriseException or IOException)
        {
            _failures.Add(problem.Message);
        }
    }

    private async Task RepeatAsync(byte[] hello)
    {
        var answer = await StrangerClient.CallAsync(_proxy.Endpoint, hello);
        if (answer.Bytes.Length > 0) Interlocked.Increment(ref _replaysAnswered);
    }
}
