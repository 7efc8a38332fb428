using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Portico.Core.Net;
using Portico.IntegrationTests.Commands;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Portico.TestKit.Telegram;
using Portico.TestKit.Wires;

namespace Portico.IntegrationTests.Hostile;

/// <summary>`portico run` as a process of its own with the fake Telegram behind it, and what the system tells about that process.</summary>
internal sealed class ProxyProcess : IAsyncDisposable
{
    // The first looks at memory and at the configuration file open assemblies and files of the system, for good.
    private static readonly TimeSpan FirstLooks = TimeSpan.FromSeconds(4);

    private readonly Stopwatch _age = Stopwatch.StartNew();
    private readonly TemporaryDirectory _directory;
    private readonly FakeTelegram _telegram;
    private readonly PorticoProcess _process;

    private ProxyProcess(TemporaryDirectory directory, FakeTelegram telegram, PorticoProcess process, ProxySecret secret, int port)
    {
        (_directory, _telegram, _process) = (directory, telegram, process);
        (Secret, Endpoint) = (secret, new IPEndPoint(IPAddress.Loopback, port));
    }

    public ProxySecret Secret { get; }

    public IPEndPoint Endpoint { get; }

    public int Id => _process.Id;

    /// <summary>Where it runs: files that it leaves are here.</summary>
    public string WorkingDirectory => _directory.Path;

    public int Descriptors => DescriptorsOf.Process(Id);

    /// <summary>Memory in use, in bytes.</summary>
    public long ResidentBytes =>
        Environment.SystemPageSize * long.Parse(File.ReadAllText($"/proc/{Id}/statm").Split(' ')[1], CultureInfo.InvariantCulture);

    /// <summary>Processor time used since its start, by all threads.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            using var process = Process.GetProcessById(Id);
            return process.TotalProcessorTime;
        }
    }

    /// <summary>Starts one whose listener speaks everything, and waits until it listens.</summary>
    /// <param name="engine">Who waits for sockets.</param>
    /// <param name="arguments">More of the command line.</param>
    /// <param name="variables">More of the environment.</param>
    public static async Task<ProxyProcess> StartAsync(
        EngineKind engine, string[]? arguments = null, Dictionary<string, string>? variables = null)
    {
        var secret = ProxySecret.Create(RandomNumberGenerator.GetBytes(ProxySecret.Length));
        var (directory, telegram) = (new TemporaryDirectory(), FakeTelegram.Start());
        directory.Write("portico.json", DirectConfiguration.Text(secret, telegram, $$"""
            "timeouts": { "handshakeSeconds": 60, "drainSeconds": 1 }, "engine": "{{$"{engine}".ToLowerInvariant()}}",
            """));
        var process = PorticoProcess.Start(directory.Path, arguments ?? [], variables);
        return new ProxyProcess(directory, telegram, process, secret, await process.PortAsync());
    }

    /// <summary>A client that has its flight.</summary>
    public async Task<FakeClient> GreetAsync(ClientProfile? profile = null)
    {
        var client = await FakeClient.ConnectAsync(Endpoint, (profile ?? new ClientProfile()) with { Secret = Secret });
        await client.GreetAsync();
        return client;
    }

    /// <summary>A client comes, is served and leaves.</summary>
    public async Task ServeAsync(ClientProfile? profile = null)
    {
        await using var client = await GreetAsync(profile);
        await client.EchoAsync(1000);
        await client.DownloadAsync(2, 65536);
    }

    /// <summary>The most descriptors that the process may open from now on; what is open stays.</summary>
    public Task LimitDescriptorsAsync(int most) => ToolAsync("prlimit", $"--pid={Id}", $"--nofile={most}:");

    /// <summary>The next line on stdout that starts so.</summary>
    public Task<string> LineAsync(string start) => _process.LineAsync(start);

    /// <summary>Sends a signal.</summary>
    public void Signal(int number) => _process.Signal(number);

    /// <summary>
    /// The descriptors it has when nobody is there: the fewest of a while,
    /// as those of clients that have just left are still going.
    /// </summary>
    public async Task<int> BaseDescriptorsAsync()
    {
        while (_age.Elapsed < FirstLooks) await Task.Delay(10);  // nothing tells that they are over
        var fewest = int.MaxValue;
        for (var i = 0; i < 20; i++)
        {
            fewest = Math.Min(fewest, Descriptors);
            await Task.Delay(10);  // the system announces no change of it
        }
        return fewest;
    }

    /// <summary>Waits until the descriptors are as wanted.</summary>
    public async Task UntilDescriptorsAsync(Predicate<int> isGood)
    {
        var watch = Stopwatch.StartNew();
        for (var count = Descriptors; !isGood(count); count = Descriptors)
        {
            if (watch.Elapsed > Wire.Patience)
                throw new PeerSurpriseException($"the process has {count} descriptors: {string.Join(", ", DescriptorsOf.Kinds(Id))}");
            await Task.Delay(10);  // nor here
        }
    }

    /// <summary>Asks it to stop and returns everything that it said.</summary>
    public Task<(int Code, string Output, string Errors)> StopAsync()
    {
        _process.Signal(Signals.Terminate);
        return _process.EndAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        await _telegram.DisposeAsync();
        _directory.Dispose();
    }

    private static async Task ToolAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} failed");
    }
}
