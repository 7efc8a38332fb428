using System.Collections.Immutable;
using System.Net;
using Portico.Core.Clients;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Sessions;
using Portico.Core.Web;

namespace Portico.Core;

/// <summary>How settings change while sessions live (docs/architecture.md, "Settings change").</summary>
public sealed partial class PorticoProxy
{
    private readonly SemaphoreSlim _reloading = new(1);
    private readonly FormerSecrets _formerSecrets;
    private ImmutableArray<Listening> _listening = [];

    /// <summary>What the HTTP side of WEB listeners needs, by listener; null for those without.</summary>
    internal ImmutableArray<WebGate?> WebGates => _services.Gates;

    /// <summary>One address that is listened on.</summary>
    /// <param name="Acceptor">Makes sessions of what comes.</param>
    /// <param name="Wanted">As the settings have it.</param>
    /// <param name="Bound">With the real port.</param>
    /// <param name="Web">Its WEB sessions; null = it has no WEB proxy.</param>
    /// <param name="IsWebAlone">It has no other protocols: the HTTP side listens.</param>
    private sealed record Listening(
        ClientListener Acceptor, IPEndPoint Wanted, IPEndPoint Bound, WebSessions? Web, bool IsWebAlone);

    /// <summary>The settings have changed, and with them what is to be served.</summary>
    internal event Action? WebGatesChanged;

    /// <summary>
    /// Closes the HTTP side of WEB proxies, whose sessions are over. Loops go on until that is done; null = there is none.
    /// </summary>
    internal Func<Task>? CloseWeb { get; set; }

    /// <summary>
    /// Puts other settings in force, all of them or none. Sessions go on, under the settings that they began with, unless their
    /// secret or their listener is gone: those end within a second.
    /// </summary>
    /// <param name="settings">Checked. What takes effect at a start only must be as it is (<see cref="ReloadPlan"/> sees to that).</param>
    /// <exception cref="ListenException">A new address could not be bound; everything is as before.</exception>
    /// <exception cref="ArgumentException">Engine, loops, data directory or replay memory differ; everything is as before.</exception>
    /// <exception cref="UserConflictException">
    /// A managed user has the name or the secret of one of theirs; everything is as before.
    /// </exception>
    /// <exception cref="ObjectDisposedException">It is stopping; everything is as before.</exception>
    public async Task ReloadAsync(ProxySettings settings)
    {
        if (RestartOnly(settings) != RestartOnly(Settings))
            throw new ArgumentException("engine, loops, data directory and replay memory take effect at a start only", nameof(settings));
        using var hold = await Control.ManagedUsers.HoldAsync().ConfigureAwait(false);
        if (Conflicts(settings) is { IsEmpty: false } conflicts)
            throw new UserConflictException(conflicts);
        ObjectDisposedException.ThrowIf(!await EnterReloadAsync().ConfigureAwait(false), this);
        try
        {
            await PutInForceAsync(WithManaged(settings, _managed)).ConfigureAwait(false);
            _file = settings;
        }
        finally
        {
            _reloading.Release();
        }
    }

    private async Task PutInForceAsync(ProxySettings settings)
    {
        // 1. Everything that can fail, beside what runs.
        var before = _services.Current;
        var next = _services.Build(settings, before);
        var listening = Listen(next, _listening);

        // 2. In force: for new sessions at once, on every loop.
        var gone = _listening.Where(it => listening.All(other => other.Acceptor != it.Acceptor)).ToList();
        foreach (var listener in before.Loops[0].Listeners)
        {
            if (!next.Pairs.Contains(listener.Index)) listener.Users.Close();
        }

        var goneWeb = WebOf(_listening).Except(WebOf(listening)).ToList();
        _services.Adopt(next);
        for (var i = 0; i < listening.Length; i++) listening[i].Acceptor.Serve(next.Loops, i);
        _listening = listening;
        _services.Gates = GatesOf(settings, listening);
        _services.Own.Bound(settings, Endpoints);
        next.Cover.Directory.Begin(); // what is our own may have changed too
        _directory?.Listening(Endpoints);
        var beginsMiddle = _services.BeginMiddle(settings);
        foreach (var loop in _services.Parts)
        {
            loop.Loop.Post(() => loop.Addresses.Apply(settings.Limits));
            loop.Loop.Post(() => loop.Strangers.Apply(settings.Limits));
            loop.Loop.Post(() => loop.Middle.Apply(settings), loop.Middle.OnFault);
        }

        if (beginsMiddle) _services.ConfigUpdater!.Start();

        // 3. What is gone ends.
        EndRemoved();
        _formerSecrets.Watch(settings);
        foreach (var web in goneWeb) await UnlessDeadAsync(web.CloseAsync()).ConfigureAwait(false);
        foreach (var removed in gone) await UnlessDeadAsync(_engine.StopListeningAsync(removed.Acceptor)).ConfigureAwait(false);
        WebGatesChanged?.Invoke();
        if (next.FlightLearner == before.FlightLearner) return;
        if (before.FlightLearner is { } learner)
            await learner.DisposeAsync().ConfigureAwait(false);
        next.FlightLearner?.Start();
    }

    /// <summary>The host has read its configuration again.</summary>
    /// <param name="result">applied, partial, refused or unchanged.</param>
    public void CountReload(string result)
    {
        _services.Metrics.Reloaded(result);
        if (_services.Events.HasReaders)
            _services.Events.Publish(new ProxyEvent { Type = ProxyEvent.Reload, At = _services.Events.Now, Result = result });
    }

    /// <summary>The host has told an operator of something, or could not.</summary>
    /// <param name="kind">What is told, of a closed set.</param>
    /// <param name="result">sent or failed.</param>
    public void CountAlert(string kind, string result) => _services.Metrics.Alert(kind, result);

    private static (EngineKind Engine, int Loops, string Directory, ReplaySettings Replay) RestartOnly(ProxySettings settings) =>
        (settings.Engine, settings.Loops, settings.DataDirectory, settings.Replay);

    // False when the proxy is stopping, which enters for good, or has handed over.
    private async Task<bool> EnterReloadAsync()
    {
        while (!await _reloading.WaitAsync(TimeSpan.FromMilliseconds(100)).ConfigureAwait(false))
        {
            if (_isStopping) return false;
        }

        if (!IsHandedOver) return true;
        _reloading.Release();
        return false;
    }

    // Those that are open stay open. If one cannot be opened, those that could be are closed before the caller hears.
    private ImmutableArray<Listening> Listen(
        SettingsGeneration generation, ImmutableArray<Listening> open, InheritedSockets? sockets = null)
    {
        var result = ImmutableArray.CreateBuilder<Listening>(generation.Settings.Listeners.Length);
        var fresh = new List<(ClientListener Acceptor, int Index)>();
        try
        {
            for (var i = 0; i < generation.Settings.Listeners.Length; i++)
            {
                var listener = generation.Settings.Listeners[i];
                if (generation.Pairs[i] is var same and not ListenerPairs.None && !open.IsEmpty
                    && open[same].Wanted.Equals(listener.Address))
                {
                    // Somebody else listens there then, which cannot be exchanged while visitors come.
                    if (open[same].IsWebAlone != (listener.Protocols == ClientProtocols.None))
                    {
                        throw new ListenException(
                            $"listener {listener.Name}: to and from \"protocols\": [] on the same port needs a restart, or another port");
                    }

                    result.Add(open[same] with { Web = SessionsOf(open[same].Acceptor, open[same].Web, i) });
                    continue;
                }

                var acceptor = _services.CreateListener(generation, i);
                var isWebAlone = listener.Protocols == ClientProtocols.None;
                var bound = isWebAlone
                    ? listener.Address
                    : Listen(listener.Address, acceptor, open, sockets);
                fresh.Add((acceptor, i));
                result.Add(new Listening(acceptor, listener.Address, bound, SessionsOf(acceptor, before: null, i), isWebAlone));
            }

            return result.ToImmutable();
        }
        catch (ListenException) when (!open.IsEmpty)
        {
            foreach (var (acceptor, index) in fresh)
            {
                UnlessDeadAsync(_engine.StopListeningAsync(acceptor)).GetAwaiter().GetResult();
                if (generation.Pairs[index] == ListenerPairs.None)
                    generation.Loops[0].Listeners[index].Users.Close();
            }

            EndRemoved(); // whoever was quick enough to come in there
            throw;
        }

        WebSessions? SessionsOf(ClientListener acceptor, WebSessions? before, int index) =>
            generation.Settings.Listeners[index].Web is null
                ? null
                : before ?? _services.CreateWebSessions(_engine, acceptor, generation, index);
    }

    private static IEnumerable<WebSessions> WebOf(ImmutableArray<Listening> listening) =>
        listening.Select(it => it.Web).OfType<WebSessions>();

    // What the HTTP side is to serve from now on, by listener.
    private ImmutableArray<WebGate?> GatesOf(ProxySettings settings, ImmutableArray<Listening> listening) =>
        [.. settings.Listeners.Select((listener, i) => listening[i].Web is { } sessions ? GateOf(listener, sessions) : null)];

    private WebGate GateOf(ListenerSettings listener, WebSessions sessions)
    {
        sessions.Bounds.Limits = WebLimits.Of(listener.MaxConnections);
        return _services.Web.Create(listener.Name, listener.Web!, listener.Credentials, sessions);
    }

    private IPEndPoint Listen(IPEndPoint address, ClientListener acceptor, ImmutableArray<Listening> open, InheritedSockets? sockets)
    {
        try
        {
            return _engine.Listen(address, acceptor, sockets);
        }
        catch (ListenException problem) when (open.FirstOrDefault(it => it.Bound.Port == address.Port) is { } own)
        {
            throw new ListenException(
                $"{problem.Message}; this proxy itself listens on {own.Bound}: an address on the port of another of ours needs a restart");
        }
    }

    // Whoever proves a removed secret from now on is refused, so one look at those that are there is enough.
    private void EndRemoved()
    {
        foreach (var listening in _listening) _ = listening.Web?.EndRevokedAsync();
        foreach (var parts in _services.Parts)
        {
            parts.Loop.Post(() =>
            {
                foreach (var session in SessionDirectory.Of(parts.Loop))
                {
                    session.Alone(static it => it.JoinNetworks());
                    if (session.RemovalReason() is { } reason)
                        session.Alone(it => it.EndFor(reason));
                }
            });
        }
    }
}
