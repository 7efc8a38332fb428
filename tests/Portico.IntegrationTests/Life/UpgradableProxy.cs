using System.Net;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Portico.IntegrationTests.Commands;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Portico.TestKit.Telegram;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Life;

/// <summary>`portico run` and whatever process has taken over from it, with the fake Telegram behind.</summary>
internal sealed partial class UpgradableProxy : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory;
    private readonly FakeTelegram _telegram;
    private readonly string[] _command;
    private PorticoProcess _first;
    private readonly List<int> _processes = [];
    private int _upgrades;

    private UpgradableProxy(
        TemporaryDirectory directory, FakeTelegram telegram, string[] command, PorticoProcess first, ProxySecret secret, int port)
    {
        (_directory, _telegram, _command, _first, Secret) = (directory, telegram, command, first, secret);
        (Endpoint, Process) = (new IPEndPoint(IPAddress.Loopback, port), first.Id);
        _processes.Add(Process);
    }

    public ProxySecret Secret { get; }

    public IPEndPoint Endpoint { get; private set; }

    /// <summary>The one that serves.</summary>
    public int Process { get; private set; }

    public TemporaryDirectory Directory => _directory;

    /// <summary>What all of them have said.</summary>
    public string Said => _first.Said();

    /// <summary>Starts the first process.</summary>
    /// <param name="command">How it is started; null = as the executable is.</param>
    /// <param name="more">See <see cref="DirectConfiguration"/>.</param>
    /// <param name="variables">More of the environment.</param>
    public static async Task<UpgradableProxy> StartAsync(
        string[]? command = null, string more = "", Dictionary<string, string>? variables = null)
    {
        var secret = ProxySecret.Create(RandomNumberGenerator.GetBytes(ProxySecret.Length));
        var (directory, telegram) = (new TemporaryDirectory(), FakeTelegram.Start());
        directory.Write("portico.json", DirectConfiguration.Text(secret, telegram, more));
        command ??= PorticoExecutable.Command;
        var process = PorticoProcess.Start(command, directory.Path, [], variables);
        var port = await process.PortAsync();
        await process.UntilItSaysAsync("[AdminListening]"); // for commands that ask it
        return new UpgradableProxy(directory, telegram, command, process, secret, port);
    }

    /// <summary>Writes the configuration anew.</summary>
    public void Configure(string more) => _directory.Write("portico.json", DirectConfiguration.Text(Secret, _telegram, more));

    /// <summary>SIGUSR2; waits until another process has taken over.</summary>
    public async Task UpgradeAsync()
    {
        PorticoProcess.Signal(Process, Signals.User2);
        await TakenOverAsync();
    }

    /// <summary>Waits until another process has taken over.</summary>
    public async Task TakenOverAsync()
    {
        var lines = await UntilAsync(TakenOver(), ++_upgrades);
        Process = int.Parse(lines[_upgrades - 1].Groups["process"].Value, System.Globalization.CultureInfo.InvariantCulture);
        _processes.Add(Process);
    }

    /// <summary>Waits until the first processes, so many of them, have ended. What they said last may be lost where nobody reads.</summary>
    public async Task StoppedAsync(int count)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (_processes.Take(count).Any(IsThere)) await Task.Delay(10, patience.Token);
    }

    /// <summary>Waits for the end of the first process, of which nobody has taken over.</summary>
    public async Task EndedAsync() => Assert.Equal(0, (await _first.EndAsync()).Code);

    /// <summary>Waits for the end of the first process, however it comes.</summary>
    public Task GoneAsync() => _first.GoneAsync();

    /// <summary>Starts another first process where the last one has ended, on a port of its own.</summary>
    public async Task StartAgainAsync()
    {
        await _first.DisposeAsync();
        _first = PorticoProcess.Start(_command, _directory.Path, []);
        (Process, _upgrades) = (_first.Id, 0);
        Endpoint = new IPEndPoint(IPAddress.Loopback, await _first.PortAsync());
    }

    /// <inheritdoc cref="FakeClient.GreetSoonAsync"/>
    public Task<FakeClient> GreetSoonAsync() => FakeClient.GreetSoonAsync(Endpoint, Secret);

    /// <summary>A client that has its flight.</summary>
    public async Task<FakeClient> GreetAsync(ClientProfile? profile = null)
    {
        var client = await ConnectAsync(profile);
        await client.GreetAsync();
        return client;
    }

    /// <summary>A client that has said nothing.</summary>
    public Task<FakeClient> ConnectAsync(ClientProfile? profile = null) =>
        FakeClient.ConnectAsync(Endpoint, (profile ?? new ClientProfile()) with { Secret = Secret });

    public async ValueTask DisposeAsync()
    {
        if (!_first.HasEnded) await StopAsync();
        await _first.DisposeAsync();
        await _telegram.DisposeAsync();
        _directory.Dispose();
    }

    private async Task StopAsync()
    {
        PorticoProcess.Signal(Process, Signals.Terminate);
        PorticoProcess.Signal(Process, Signals.Terminate);
        try
        {
            await _first.EndAsync(); // its streams are those of the last one
        }
        catch (OperationCanceledException)
        {
            PorticoProcess.Signal(Process, Signals.Kill); // it is there, or the streams would have ended
            throw;
        }
    }

    // One that has ended and that nobody has asked about is no more.
    private static bool IsThere(int process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            return stat[(stat.LastIndexOf(')') + 2)] != 'Z';
        }
        catch (IOException)
        {
            return false;
        }
    }

    private async Task<MatchCollection> UntilAsync(Regex line, int count)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            var found = line.Matches(Said);
            if (found.Count >= count) return found;
            if (patience.IsCancellationRequested)
                throw new PeerSurpriseException($"{found.Count} times \"{line}\" and not {count}: {Said}");
            await Task.Delay(10);
        }
    }

    [GeneratedRegex(@"Process (?<process>\d+) has taken over")]
    private static partial Regex TakenOver();
}
