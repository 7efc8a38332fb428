using System.Collections.Immutable;
using System.Net;
using Microsoft.Extensions.Logging;
using Portico.Core.Cover;
using Portico.Core.Cover.Learning;
using Portico.Core.Options;
using Portico.Core.Users;
using Portico.Protocol.Secrets;
using Portico.TestKit.Covers;
using Portico.TestKit.Diagnostics;
using Portico.TestKit.Time;
using Portico.TestKit.Wires;

namespace Portico.IntegrationTests.Cover.Learning;

/// <summary>
/// A learner with clock, site and data directory in the test's hands.
/// A second one in the same directory is a second start.
/// </summary>
internal sealed class LearnerStage : IAsyncDisposable
{
    public static readonly TimeSpan Learn = TimeSpan.FromHours(6), Patience = TimeSpan.FromSeconds(30);

    /// <summary>Short beside everything that is waited for.</summary>
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    private readonly bool _ownsDirectory;
    private readonly CoverDirectory _directory;

    /// <param name="site">The cover.</param>
    /// <param name="change">What differs: one listener for www.example.com, a fixed cover.</param>
    /// <param name="earlier">Its directory and clock are used again.</param>
    public LearnerStage(ScriptedSite site, Func<ProxySettings, ProxySettings>? change = null, LearnerStage? earlier = null)
    {
        _ownsDirectory = earlier is null;
        DataDirectory = earlier?.DataDirectory ?? Directory.CreateTempSubdirectory("portico-").FullName;
        Time = earlier?.Time ?? new ManualTime();
        Site = site;
        var settings = new ProxySettings
        {
            Listeners = [Listener("main", "www.example.com")],
            Cover = new CoverSettings
            {
                Mode = CoverMode.Fixed,
                Target = CoverTarget.OfAddress(site.Endpoint),
                Learn = Learn,
                ConnectTimeout = Patience,
            },
            Direct = new DirectSettings(),
            TimeWindow = new TimeWindowSettings(),
            Timeouts = new TimeoutSettings(),
            DataDirectory = DataDirectory,
        };
        settings = change?.Invoke(settings) ?? settings;
        Settings = settings;
        Own = new OwnEndpoints(OwnEndpoints.OfThisMachine);
        Flights = new LearnedFlights(settings.Listeners.Length);
        _directory = new CoverDirectory(settings.Cover, Own, _ => Task.FromResult<IPAddress[]>([IPAddress.Loopback]), Time);
        var probe = new FlightProbe(
            new CoverConnector(_directory, settings.Cover.ProxyProtocol, Time), Hellos, Time, settings.Cover.ConnectTimeout);
        Learner = new FlightLearner(settings, Flights, probe, Log.Factory, Time);
    }

    public ProxySettings Settings { get; }

    public string DataDirectory { get; }

    public ManualTime Time { get; }

    public ScriptedSite Site { get; }

    public OwnEndpoints Own { get; }

    public LearnedFlights Flights { get; }

    public LearnerHellos Hellos { get; } = new();

    public FlightLearner Learner { get; }

    public LogProbe Log { get; } = new();

    /// <summary>Of the first name.</summary>
    public FlightSnapshot Seen => Learner.Subjects[0].Snapshot;

    /// <summary>Lines for the operator, by their names.</summary>
    public IEnumerable<string> Warnings => Log.Lines.Where(line => line.Level >= LogLevel.Warning).Select(line => line.EventName!);

    public int CountOf(string eventName) => Log.Lines.Count(line => line.EventName == eventName && line.Level >= LogLevel.Information);

    public static ListenerSettings Listener(string name, string domain) => new()
    {
        Name = name,
        Address = new IPEndPoint(IPAddress.Loopback, 0),
        Credentials = [new Credential("default", ProxySecret.Create(new byte[16]))],
        Domain = domain,
    };

    /// <summary>Starts, and waits for the end of the first round of every name.</summary>
    public Task StartAsync()
    {
        var before = Snapshots();
        Learner.Start();
        return RoundAsync(before);
    }

    /// <summary>Moves on to the next round of the first name and waits for its end.</summary>
    public Task NextRoundAsync()
    {
        var before = Snapshots();
        Time.Advance(Seen.NextAttempt - Time.GetUtcNow());
        return RoundAsync(before);
    }

    public async ValueTask DisposeAsync()
    {
        await Learner.DisposeAsync().AsTask().WaitAsync(Wire.Patience);
        Log.Dispose();
        if (_ownsDirectory) Directory.Delete(DataDirectory, recursive: true);
        Xunit.Assert.Empty(Log.Errors);
    }

    private ImmutableArray<FlightSnapshot> Snapshots() => [.. Learner.Subjects.Select(subject => subject.Snapshot)];

    // The clock moves only while every visitor has read what the site had to say: silence is silence then, however slow this machine is.
    private async Task RoundAsync(ImmutableArray<FlightSnapshot> before)
    {
        using var clock = new CancellationTokenSource(4 * Wire.Patience);
        while (Learner.Subjects.Where((subject, i) => ReferenceEquals(subject.Snapshot, before[i])).Any())
        {
            if (clock.IsCancellationRequested)
                throw new PeerSurpriseException($"the round did not end; the books: {string.Join(", ", Site.Visits)}");
            if (Site.Visits.All(visit => visit.IsDelivered)) Time.Advance(Step);
            await Task.Delay(1);
        }
    }
}
