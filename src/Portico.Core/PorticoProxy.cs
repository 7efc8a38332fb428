using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using System.Net;
using Microsoft.Extensions.Logging;
using Portico.Core.Background;
using Portico.Core.Control;
using Portico.Core.Cover;
using Portico.Core.Cover.Learning;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Sessions;
using Portico.Core.Users;

namespace Portico.Core;

/// <summary>A running proxy: its loops and listeners.</summary>
public sealed partial class PorticoProxy : IAsyncDisposable
{
    private static readonly TimeSpan PatienceForLast = TimeSpan.FromMilliseconds(100),
        PatienceForApps = TimeSpan.FromMilliseconds(500),
        PatienceForFarewells = TimeSpan.FromSeconds(2),
        PauseForLast = TimeSpan.FromMilliseconds(5);

    private readonly Engine _engine;
    private readonly ProxyServices _services;
    private readonly ILogger _log;
    private DirectoryLock? _directory;
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _hurry = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task? _stopped;
    private volatile bool _isStopping;

    private PorticoProxy(Engine engine, ProxyServices services, DirectoryLock? directory, ILogger log)
    {
        _log = log;
        _formerSecrets = new FormerSecrets(engine.Loops[0], EndRemoved);
        _directory = directory;
        _engine = engine;
        _services = services;
        _file = services.Current.Settings;
        Control = services.CreateControl(engine, () => Endpoints, () => _isStopping || IsHandedOver, PutUsersAsync, UsersInFile);
        services.Ledger.WhenSomeoneMustGo(EndRemoved);
    }

    /// <summary>The settings in force.</summary>
    public ProxySettings Settings => _services.Current.Settings;

    /// <summary>Where each listener of <see cref="Settings"/> listens, in the same order, with the real port.</summary>
    public ImmutableArray<IPEndPoint> Endpoints => [.. _listening.Select(listening => listening.Bound)];

    /// <summary>What administration may read and ask.</summary>
    public ProxyControl Control { get; }

    /// <summary>Sessions that are open now, handshakes included.</summary>
    public int SessionCount => _services.Sessions.Value;

    /// <summary>Completes when the proxy has ended; faults if a loop died (the process must then end with exit code 1).</summary>
    public Task Completion => _engine.Completion;

    /// <summary>Numbers of this moment, summed over loops and listeners.</summary>
    public ProxySnapshot Snapshot()
    {
        var counters = _services.Counters.ToList();
        return new ProxySnapshot(
            SessionCount, counters.Sum(c => c.Relaying), counters.Sum(c => c.ClientReceived), counters.Sum(c => c.ClientSent));
    }

    /// <summary>What is known of the covers whose flights ours copy, one entry for each name in links; empty without a cover.</summary>
    public ImmutableArray<FlightSnapshot> Flights() =>
        _services.FlightLearner is { } learner ? [.. learner.Subjects.Select(subject => subject.Snapshot)] : [];

    /// <summary>Binds every listener and starts the loops.</summary>
    /// <exception cref="ListenException">An address could not be bound; nothing is left running.</exception>
    /// <exception cref="DataDirectoryInUseException">Another running proxy owns the data directory; nothing is left running.</exception>
    /// <exception cref="DataDirectoryVersionException">A newer proxy wrote the data directory; nothing is left running.</exception>
    public static PorticoProxy Start(ProxySettings settings, ILoggerFactory loggers, IMeterFactory meters, TimeProvider time) =>
        Start(settings, loggers, meters, time, sockets: null);

    /// <summary>The same, with listening sockets that are there already; others are opened.</summary>
    /// <param name="settings">Of the proxy.</param>
    /// <param name="loggers">Where lines go.</param>
    /// <param name="meters">Where the meter comes from.</param>
    /// <param name="time">The clock.</param>
    /// <param name="sockets">Those that the settings name are taken; null = there are none.</param>
    /// <param name="users">Where managed users, usage and history are kept, closed with the proxy; null = nowhere.</param>
    /// <exception cref="ListenException">An address could not be bound; nothing is left running.</exception>
    /// <exception cref="DataDirectoryInUseException">Another running proxy owns the data directory; nothing is left running.</exception>
    /// <exception cref="DataDirectoryVersionException">A newer proxy wrote the data directory; nothing is left running.</exception>
    public static PorticoProxy Start(
        ProxySettings settings, ILoggerFactory loggers, IMeterFactory meters, TimeProvider time, InheritedSockets? sockets,
        IUserStore? users = null)
    {
        var loops = settings.Loops == 0 ? Engine.LoopsFor(Environment.ProcessorCount) : settings.Loops;
        var engine = Engine.Create(settings.Engine, loops, time);
        return Start(settings, engine, LimitedLoggerFactory.Around(loggers, time), meters, time, sockets: sockets, users: users);
    }

    /// <summary>
    /// Stops accepting. Sessions without a byte for 2 s get FIN at once, others when they pause for as long; whoever is left after
    /// <paramref name="drain"/> is closed. A second call only shortens the wait.
    /// </summary>
    public Task StopAsync(TimeSpan drain) => StopAsync(drain, listensOn: false);

    /// <summary>The same for a proxy whose listening sockets somebody keeps for its successor.</summary>
    /// <param name="drain">See above.</param>
    /// <param name="listensOn">
    /// It accepts and serves until the end, or clients would wait for as long as it drains. Who comes by then is not waited for.
    /// </param>
    public Task StopAsync(TimeSpan drain, bool listensOn)
    {
        lock (_gate)
        {
            _isStopping = true;
            if (drain == TimeSpan.Zero) _hurry.TrySetResult();
            _handingOver?.Dispose(); // it fails, unless it is done
            return _stopped ??= StopOnceAsync(drain, listensOn);
        }
    }

    /// <summary>Stops without draining.</summary>
    public async ValueTask DisposeAsync() => await StopAsync(TimeSpan.Zero).ConfigureAwait(false);

    /// <summary>
    /// The cover can be asked how it answers. Called by whoever opens it, where it is a WEB host of this proxy's.
    /// </summary>
    internal void BeginLearning() => _services.FlightLearner?.Start();

    /// <summary>For tests of what the loops do to the proxy.</summary>
    internal Engine Engine => _engine;

    /// <summary>For tests of who is at the cover.</summary>
    internal CoverServices Cover => _services.Cover;

    /// <summary>For tests of a kill: the system gives the lock of a process back that is no more.</summary>
    internal void LoseDirectory() => _directory?.Dispose();

    /// <summary>For tests of what the sessions share.</summary>
    internal ProxyServices Services => _services;

    /// <summary>For tests that bring their own engine.</summary>
    /// <param name="settings">See above.</param>
    /// <param name="engine">Not started by anybody else.</param>
    /// <param name="loggers">See above.</param>
    /// <param name="meters">See above.</param>
    /// <param name="time">The clock for downloads; null = nothing is downloaded, and only the embedded middle proxies are known.</param>
    /// <param name="http">Fetches documents; null = from the network.</param>
    /// <param name="resolve">The addresses of a cover's name; null = of the system's resolver.</param>
    /// <param name="sockets">See above.</param>
    /// <param name="users">See above.</param>
    internal static PorticoProxy Start(
        ProxySettings settings, Engine engine, ILoggerFactory loggers, IMeterFactory meters,
        TimeProvider? time = null, HttpMessageHandler? http = null, Func<string, Task<IPAddress[]>>? resolve = null,
        InheritedSockets? sockets = null, IUserStore? users = null)
    {
        var directory = TakeDirectory(settings, engine, loggers);
        var services = new ProxyServices(settings, engine, loggers, meters, new Outside(time, http, resolve, users));
        var proxy = new PorticoProxy(engine, services, directory, loggers.CreateLogger<PorticoProxy>());
        try
        {
            proxy.RestoreUsers();
            settings = proxy.Settings;
            proxy._listening = proxy.Listen(services.Current, [], sockets);
            services.Gates = proxy.GatesOf(settings, proxy._listening);
            services.Own.Bound(settings, proxy.Endpoints);
            directory?.Listening(proxy.Endpoints);
            services.Cover.Directory.Begin();
            if (sockets is not { AreHeld: true }) services.Replays.MarkRunning();
            services.MiddleProxies.Changed += _ => proxy.OnMiddleProxiesChanged();
            if (settings.UsesMiddleProxies)
            {
                proxy.OpenMiddleProxies();
                services.ConfigUpdater?.Start();
            }

            if (!settings.Listeners.Any(it => it.Web?.Socket is not null)) proxy.BeginLearning();
            proxy._formerSecrets.Watch(settings);
            if (time is not null) services.Memory.Start(time);
            services.Users.Start();
            engine.Loops[0].Post(services.Summary.Begin);
            return proxy;
        }
        catch
        {
            // Listeners that could be opened are closed before the caller hears, or a client could still reach them. What is queued on
            // one that was passed on is for whoever else has it.
            Task.WhenAny(engine.LeaveListeningAsync(), engine.Completion).GetAwaiter().GetResult();
            _ = engine.StopAsync();
            _ = services.ConfigUpdater?.DisposeAsync().AsTask(); // it has not begun, so this is done at once
            _ = services.FlightLearner?.DisposeAsync().AsTask(); // likewise
            services.Memory.Dispose();
            services.Points.Dispose();
            services.Replays.Dispose();
            users?.Dispose();
            directory?.Undo();
            throw;
        }
    }

    // Before what it holds is read: reading takes it away from the process that has it.
    private static DirectoryLock? TakeDirectory(ProxySettings settings, Engine engine, ILoggerFactory loggers)
    {
        DirectoryLock? taken = null;
        try
        {
            taken = DirectoryLock.Take(settings.DataDirectory, loggers.CreateLogger<DirectoryLock>());
            DataDirectoryVersion.OfThisProgram.Enter(settings.DataDirectory, mayWrite: taken is not null);
            return taken;
        }
        catch (Exception problem) when (problem is DataDirectoryInUseException or DataDirectoryVersionException)
        {
            taken?.Undo();
            _ = engine.StopAsync();
            throw;
        }
    }

    private void OpenMiddleProxies()
    {
        foreach (var loop in _services.Parts) loop.Loop.Post(loop.Middle.OpenInitial, loop.Middle.OnFault);
    }

    // New data centres get their links, old links stay as they are.
    private void OnMiddleProxiesChanged()
    {
        foreach (var loop in _services.Parts) loop.Loop.Post(loop.Middle.OnConfigChanged, loop.Middle.OnFault);
    }

    private async Task StopOnceAsync(TimeSpan drain, bool listensOn)
    {
        _services.Replays.SaveSoon(); // a container may be killed before the drain is over
        _ = _services.Users.FlushAsync();
        await _reloading.WaitAsync().ConfigureAwait(false); // for good: what is under way is done first, and no other follows
        // a download ends at once
        if (_services.ConfigUpdater is { } updater)
            await updater.DisposeAsync().ConfigureAwait(false);
        // so does a connection to the cover
        if (_services.FlightLearner is { } learner)
            await learner.DisposeAsync().ConfigureAwait(false);
        listensOn &= !IsHandedOver;
        if (!listensOn) await UnlessDeadAsync(StopListeningAsync()).ConfigureAwait(false);
        var web = WebOf(_listening).ToList();
        foreach (var sessions in web) await UnlessDeadAsync(sessions.DrainAsync(drain)).ConfigureAwait(false);
        if (drain > TimeSpan.Zero) await DrainAsync(drain, listensOn).ConfigureAwait(false);
        // Apps that are being told have a moment to hear it, also where nothing else was waited for.
        var told = Task.WhenAll(web.Select(sessions => sessions.Empty));
        if (drain > TimeSpan.Zero)
            await UnlessDeadAsync(Task.WhenAny(told, _hurry.Task, Task.Delay(PatienceForApps))).ConfigureAwait(false);
        foreach (var sessions in web) await UnlessDeadAsync(sessions.CloseAsync()).ConfigureAwait(false);
        // They say that they have heard why their WebSockets close, or have had the time.
        await WhileAsync(() => web.Any(it => it.Sockets.Count > 0), PatienceForFarewells).ConfigureAwait(false);
        if (listensOn) await LeaveAsync().ConfigureAwait(false);
        // Nobody comes any more who would be shown them.
        if (CloseWeb is { } close)
            await UnlessDeadAsync(Task.WhenAny(close(), _hurry.Task)).ConfigureAwait(false);
        await UnlessDeadAsync(Task.WhenAll(_engine.Loops.Select(CloseSessionsAsync))).ConfigureAwait(false);
        _services.Memory.Dispose();
        await _engine.StopAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // what killed a loop is told by Completion
        _services.Points.Dispose();
        _services.Replays.Dispose();
        // A change that was in force before this began is kept first.
        using (await Control.ManagedUsers.HoldAsync().ConfigureAwait(false)) await _services.Users.ReleaseAsync().ConfigureAwait(false);
        if (!IsHandedOver) _directory?.Dispose();
    }

    // Who came last is let in, and then told to come again. Others wait for the next process meanwhile, so not for long.
    private async Task LeaveAsync()
    {
        await UnlessDeadAsync(_engine.LeaveListeningAsync()).ConfigureAwait(false);
        await WhileAsync(() => _services.Counters.Sum(it => it.Open - it.Relaying - it.Cover) > 0, PatienceForLast).ConfigureAwait(false);
    }

    // Looks again and again, for so long at most.
    private async Task WhileAsync(Func<bool> goesOn, TimeSpan patience)
    {
        for (var waited = TimeSpan.Zero; waited < patience && goesOn() && !_hurry.Task.IsCompleted; waited += PauseForLast)
            await UnlessDeadAsync(Task.WhenAny(_hurry.Task, Task.Delay(PauseForLast))).ConfigureAwait(false);
    }

    // What is queued on sockets that another process has is that one's.
    private Task StopListeningAsync() => IsHandedOver ? _engine.LeaveListeningAsync() : _engine.StopListeningAsync();

    private async Task DrainAsync(TimeSpan drain, bool sparesNewcomers)
    {
        var drains = _engine.Loops.Select(loop => new SessionDrain(loop, sparesNewcomers)).ToList();
        foreach (var (loop, own) in _engine.Loops.Zip(drains)) loop.Post(own);
        var ended = sparesNewcomers ? Task.WhenAll(drains.Select(own => own.Done)) : _services.Sessions.WhenEmptyAsync();
        if (ended.IsCompleted) return;
        await UnlessDeadAsync(Task.WhenAny(ended, _hurry.Task, Task.Delay(drain))).ConfigureAwait(false);
    }

    // A dead loop runs no posts: waiting for one would keep the process that should end now.
    private Task<Task> UnlessDeadAsync(Task task) => Task.WhenAny(task, _engine.Completion);

    private static Task CloseSessionsAsync(EventLoop loop)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Post(() =>
        {
            foreach (var channel in loop.Slots.Open()) channel.RaiseShutdown();
            loop.Post(done.SetResult); // handshakes end with the continuation that this queued
        });
        return done.Task;
    }
}
