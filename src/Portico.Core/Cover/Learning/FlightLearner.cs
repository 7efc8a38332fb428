using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Portico.Core.Background;
using Portico.Core.Options;
using Portico.Protocol.FakeTls;

namespace Portico.Core.Cover.Learning;

/// <summary>
/// Keeps what is known of the covers' flights up to date, on the thread pool: at the start,
/// then every <c>cover.learnSeconds</c>, sooner after a failure. Only names that the operator
/// has put into links are asked for. Nobody waits for it; what fails changes nothing.
/// </summary>
internal sealed partial class FlightLearner : IAsyncDisposable
{
    // Listeners with hundreds of names must not flood their covers, nor us.
    private const int SubjectsAtATime = 4;

    private readonly FlightProbe _probe;
    private readonly FlightCache _cache;
    private readonly LearnedFlights _flights;
    private readonly TimeProvider _time;
    private readonly long _started;
    private readonly ILogger _log;
    private readonly SemaphoreSlim _places = new(SubjectsAtATime);
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;
    private bool _isCacheFailing;

    /// <summary>Reads what an earlier run kept, which is in force at once.</summary>
    /// <param name="settings">Of the whole proxy; the cover is not off.</param>
    /// <param name="flights">Where loops find the result.</param>
    /// <param name="probe">Asks covers.</param>
    /// <param name="loggers">For changes and failures.</param>
    /// <param name="time">Schedules.</param>
    public FlightLearner(ProxySettings settings, LearnedFlights flights, FlightProbe probe, ILoggerFactory loggers, TimeProvider time)
    {
        _flights = flights;
        _probe = probe;
        _time = time;
        _started = time.GetTimestamp();
        _log = loggers.CreateLogger<FlightLearner>();
        _cache = new FlightCache(settings.DataDirectory);
        Subjects = SubjectsOf(settings);
        var kept = _cache.Read();
        foreach (var subject in Subjects)
        {
            if (kept.TryGetValue((subject.Domain, subject.Target.ToString()), out var flight))
                Adopt(subject, flight);
            subject.Show(subject.Describe(time.GetUtcNow()));
        }
    }

    /// <summary>What it asks.</summary>
    public ImmutableArray<FlightSubject> Subjects { get; }

    private TimeSpan Now => _time.GetElapsedTime(_started);

    /// <summary>Begins to ask.</summary>
    public void Start() => _running = Task.WhenAll(Subjects.Select(WatchAsync));

    /// <summary>Ends it at once, in the middle of a connection too.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _places.Dispose();
        _stop.Dispose();
    }

    // A listener's links lead to the one cover, or in the mode sni to the site that they name.
    private static ImmutableArray<FlightSubject> SubjectsOf(ProxySettings settings) =>
    [
        .. settings.Listeners.Select((listener, index) => (listener, index))
            .Where(item => item.listener is { Domain: not null } && item.listener.Protocols.HasFlag(ClientProtocols.FakeTls))
            .GroupBy(item => item.listener.Domain!, item => item.index, StringComparer.OrdinalIgnoreCase)
            .Select(group => new FlightSubject(
                group.Key, FlightSubject.TargetOf(settings, group.Key), [.. group], new RefreshSchedule(settings.Cover.Learn))),
    ];

    // An exception here is our bug; flights stay as they are, and the log must say so.
    private async Task WatchAsync(FlightSubject subject)
    {
        var run = RunAsync(subject, _stop.Token);
        await run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (run.Exception is { } fault) Log.Faulted(_log, fault, subject.Domain);
    }

    private async Task RunAsync(FlightSubject subject, CancellationToken stop)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // the start does not wait
        while (true)
        {
            await _places.WaitAsync(stop).ConfigureAwait(false);
            try
            {
                await LearnAsync(subject, stop).ConfigureAwait(false);
            }
            finally
            {
                _places.Release();
            }

            var pause = subject.Schedule.Due - Now;
            await Task.Delay(pause > TimeSpan.Zero ? pause : TimeSpan.Zero, _time, stop).ConfigureAwait(false);
        }
    }

    private async Task LearnAsync(FlightSubject subject, CancellationToken stop)
    {
        var samples = new List<FlightSample>(FlightPlan.Questions.Length);
        foreach (var questions in FlightPlan.Questions.Chunk(FlightPlan.AtATime))
        {
            var asked = questions.Select(question => _probe.AskAsync(subject.Target, subject.Domain, question, stop));
            samples.AddRange(await Task.WhenAll(asked).ConfigureAwait(false));
            // One that fails would make the table lie; all of it is asked again.
            subject.Problem = samples.Where(sample => !sample.IsRefusedOffer)
                .Select(sample => sample.Problem).FirstOrDefault(problem => problem != FlightProblem.None);
            if (subject.Problem == FlightProblem.None) continue;
            subject.Schedule.Failed(Now);
            TellFailure(subject);
            subject.Show(Describe(subject));
            return;
        }

        var before = subject.Flight;
        Adopt(subject, FlightPlan.Conclude(samples, _time.GetUtcNow()).After(before));
        var wasFailing = subject.Schedule.Succeeded(Now);
        var shown = Describe(subject);
        if (before is null || wasFailing || !subject.Flight!.LooksLike(before)) TellSuccess(shown);
        TellNotices(subject, shown);
        Keep();
        subject.Show(shown);
    }

    private FlightSnapshot Describe(FlightSubject subject) => subject.Describe(_time.GetUtcNow() + (subject.Schedule.Due - Now));

    private void Adopt(FlightSubject subject, LearnedFlight flight)
    {
        subject.Flight = flight;
        foreach (var listener in subject.Listeners) _flights.Publish(listener, flight);
    }

    private void TellFailure(FlightSubject subject)
    {
        // The first of a row is news, and so is another reason.
        var level = subject.ToldProblem == subject.Problem ? LogLevel.Debug : LogLevel.Warning;
        subject.ToldProblem = subject.Problem;
        if (!_log.IsEnabled(level)) return;
        var (problem, seconds) = (subject.Problem.Words(), Math.Round((subject.Schedule.Due - Now).TotalSeconds));
        if (subject.Flight is { } flight)
            Log.NotLearnedAgain(_log, level, subject.Target, subject.Domain, problem, flight.AsOf, seconds);
        else
            Log.NotLearned(
                _log, level, subject.Target, subject.Domain, problem,
                ServerFlight.LeastRandomAppData, ServerFlight.MostRandomAppData, seconds);
    }

    private void TellSuccess(FlightSnapshot shown) =>
        Log.Learned(
            _log, shown.Target, shown.Domain, shown.CipherSuite, shown.ClassicGroup,
            shown.PostQuantumGroup, shown.Order, shown.SmallestRecord, shown.LargestRecord);

    private void TellNotices(FlightSubject subject, FlightSnapshot shown)
    {
        var news = shown.Notices & ~subject.ToldNotices;
        subject.ToldNotices = shown.Notices;
        subject.ToldProblem = FlightProblem.None;
        if (news.HasFlag(FlightNotice.TooLarge))
            Log.TooLarge(_log, shown.Target, shown.Domain, shown.LargestRecord, ServerFlight.MaxAppDataLength);
        if (news.HasFlag(FlightNotice.AnswersPostQuantum))
            Log.AnswersPostQuantum(_log, shown.Target, shown.Domain);
        if (news.HasFlag(FlightNotice.OtherExtensions))
            Log.OtherExtensions(_log, shown.Target, shown.Domain);
    }

    private void Keep()
    {
        lock (_cache)
        {
            var problem = _cache.Write(Subjects, _time.GetUtcNow());
            if (problem is not null && !_isCacheFailing) Log.NotKept(_log, problem);
            _isCacheFailing = problem is not null;
        }
    }
    private static partial class Log
    {
        [LoggerMessage(EventId = 1701, EventName = "FlightLearned", Level = LogLevel.Information,
            Message = "Learned how {Target} answers for {Domain}: suite {Suite:x4}, "
                + "group {ClassicGroup:x4} ({PostQuantumGroup:x4} for post-quantum hellos), "
                + "{Order}, encrypted flight of {Smallest} to {Largest} bytes; ours copies it")]
        public static partial void Learned(
            ILogger logger, string target, string domain, ushort suite, ushort classicGroup,
            ushort postQuantumGroup, ServerExtensionOrder order, int smallest, int largest);

        [LoggerMessage(EventId = 1702, EventName = "FlightNotLearned",
            Message = "{Target} {Problem} (asked for {Domain}); until it can be measured our flights "
                + "have {Least} to {Most} bytes by chance, next attempt in {Seconds} s")]
        public static partial void NotLearned(
            ILogger logger, LogLevel level, CoverTarget target, string domain, string problem, int least, int most, double seconds);

        [LoggerMessage(EventId = 1703, EventName = "FlightNotLearnedAgain",
            Message = "{Target} {Problem} (asked for {Domain}); "
                + "going on with what was learned {AsOf:yyyy-MM-dd HH:mm} UTC, next attempt in {Seconds} s")]
        public static partial void NotLearnedAgain(
            ILogger logger, LogLevel level, CoverTarget target, string domain, string problem, DateTimeOffset asOf, double seconds);

        [LoggerMessage(EventId = 1704, EventName = "FlightTooLarge", Level = LogLevel.Warning,
            Message = "{Target} answers for {Domain} with an encrypted flight of {Length} bytes; "
                + "ours has {Most}, because clients on iOS take no more, and an observer can tell them apart. "
                + "A site with a shorter chain of certificates is a better cover")]
        public static partial void TooLarge(ILogger logger, string target, string domain, int length, int most);

        [LoggerMessage(EventId = 1705, EventName = "CoverAnswersPostQuantum", Level = LogLevel.Warning,
            Message = "{Target} answers for {Domain} with the group 11ec where we answer with 001d: "
                + "an observer can tell them apart. A site without X25519MLKEM768 is a better cover")]
        public static partial void AnswersPostQuantum(ILogger logger, string target, string domain);

        [LoggerMessage(EventId = 1706, EventName = "CoverHasOtherExtensions", Level = LogLevel.Warning,
            Message = "{Target} answers for {Domain} with extensions in its hello that ours never has: an observer can tell them apart")]
        public static partial void OtherExtensions(ILogger logger, string target, string domain);

        [LoggerMessage(EventId = 1707, EventName = "FlightsNotKept", Level = LogLevel.Warning,
            Message = "What was learned of the cover cannot be kept for the next start: "
                + "{Problem}; give this user the right to write to dataDirectory")]
        public static partial void NotKept(ILogger logger, string problem);

        [LoggerMessage(EventId = 1710, EventName = "LearnerFaulted", Level = LogLevel.Error,
            Message = "Measuring the cover for {Domain} ended by an exception of the proxy, "
                + "which goes on with what it knows; please report it")]
        public static partial void Faulted(ILogger logger, Exception error, string domain);
    }
}
