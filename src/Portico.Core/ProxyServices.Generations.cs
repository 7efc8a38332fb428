using System.Collections.Immutable;
using System.Net;
using Portico.Core.Admission;
using Portico.Core.Backends;
using Portico.Core.Backends.Direct;
using Portico.Core.Clients;
using Portico.Core.Cover;
using Portico.Core.Cover.Learning;
using Portico.Core.Diagnostics;
using Portico.Core.Handshake;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Sessions;
using Portico.Core.Telegram;
using Portico.Core.Users;
using Portico.Protocol.FakeTls;

namespace Portico.Core;

/// <content>What follows from a state of the settings, and how that comes into force.</content>
internal sealed partial class ProxyServices
{
    /// <summary>What follows from settings. Changes nothing that runs.</summary>
    /// <param name="settings">The next ones.</param>
    /// <param name="before">The generation that stays in force until <see cref="Adopt"/>; null = there is none.</param>
    public SettingsGeneration Build(ProxySettings settings, SettingsGeneration? before)
    {
        var resolve = _outside.Resolve ?? Dns.GetHostAddressesAsync;
        var from = new LocalAddresses(settings.LocalAddresses);
        var cover = before is not null && SettingsComparison.CoversAlike(before.Settings, settings)
            ? before.Cover
            : CoverServices.Create(
                settings.Cover, _budget, _loggers, _shortages, Own, resolve, _outside.Time ?? TimeProvider.System, from);
        var (flights, learner) = before is not null && SettingsComparison.LearnsTheSame(before.Settings, settings)
            ? (before.Flights, before.FlightLearner)
            : CreateLearner(settings, cover);
        var dcs = new DcDirectory(settings.Direct);
        var pairs = ListenerPairs.Of(before?.Settings.Listeners ?? [], settings.Listeners);
        var shared = settings.Listeners
            .Select((listener, index) => ShareOf(settings, listener, ContextBefore(index, loop: 0))).ToImmutableArray();
        // One that asks the same of a caller goes on.
        var newJudges = settings.Listeners.Select((listener, index) =>
            pairs[index] != ListenerPairs.None && SettingsComparison.JudgesAlike(before!.Settings, pairs[index], settings, index)
                ? null
                : new JudgeMaker(listener, WindowOf(settings.TimeWindow), settings.PerSni))
            .ToImmutableArray();
        return new SettingsGeneration
        {
            Settings = settings,
            Cover = cover,
            Flights = flights,
            FlightLearner = learner,
            Pairs = pairs,
            Loops = [.. _parts.Select(parts => Build(parts, settings, cover, flights, dcs, from, ListenersOf(parts), JudgesOf(parts)))],
        };

        // Those of a listener until now; null = it is new.
        ListenerContext? ContextBefore(int index, int loop) =>
            pairs[index] == ListenerPairs.None ? null : before!.Loops[loop].Listeners[pairs[index]];

        Judge? JudgeBefore(int index, int loop) =>
            pairs[index] == ListenerPairs.None ? null : before!.Loops[loop].Judges[pairs[index]];

        ImmutableArray<ListenerContext> ListenersOf(LoopParts parts) =>
        [
            .. settings.Listeners.Select((listener, index) => new ListenerContext(
                listener.Name, listener.TrustedBalancers, index, shared[index].Limit, shared[index].Users,
                CountersOf(listener, ContextBefore(index, parts.Loop.Index)))),
        ];

        ImmutableArray<Judge> JudgesOf(LoopParts parts) =>
        [
            .. newJudges.Select((maker, index) =>
            {
                var former = JudgeBefore(index, parts.Loop.Index);
                return maker?.Create(former) ?? former!;
            }),
        ];
    }

    /// <summary>From now on this one is in force, for sessions to come and for what is shared with those that are there.</summary>
    public void Adopt(SettingsGeneration next)
    {
        _budget.Most = MostAtCover(next.Settings);
        Policy.Replace(next.Settings.Policy);
        foreach (var listener in next.Loops[0].Listeners)
        {
            var settings = next.Settings.Listeners[listener.Index];
            listener.Limit.Most = MostSessionsOf(settings, next.Settings);
            listener.Users.Replace(settings.Credentials, Users.Today);
        }

        _current = next;
        Users.Changed(_zone = next.Settings.TimeZone);
    }

    private LoopServices Build(
        LoopParts parts, ProxySettings settings, CoverServices cover, LearnedFlights flights, DcDirectory dcs, LocalAddresses from,
        ImmutableArray<ListenerContext> listeners, ImmutableArray<Judge> judges)
    {
        var context = new LoopContext(parts.Loop, settings, Metrics, Sessions, _sessionLog, parts.Addresses, parts.Random, Events);
        var direct = new DirectBackend(context, dcs, parts.Dcs, DirectLimits.Of(settings), _dcHealth, from);
        var origins = new OriginHeader(context, _originLog);
        return new LoopServices
        {
            Context = context,
            Handshakes = parts.Handshakes,
            Listeners = listeners,
            Judges = judges,
            Origins = origins,
            Identification = new ClientIdentification(
                context, judges, cover, parts.Guests, Replays, _clocks, parts.Strangers, parts.Trials),
            Streams = new StreamIdentification(context),
            Strangers = new StrangerHandling(context, cover, parts.Guests, LearnerHellos, origins, Policy),
            Admission = new AdmissionControl(context, Replays, Policy, parts.Strangers),
            Greeting = new ServerHandshake(context, flights, Points, _wrongTransports),
            Backends = new BackendChoice(settings, dcs, MiddleProxies, direct, parts.Middle),
        };
    }

    // A new one has its users from the beginning: clients may come before the others are bound.
    private (SessionLimit Limit, ListenerUsers Users) ShareOf(ProxySettings settings, ListenerSettings listener, ListenerContext? before)
    {
        if (before is not null) return (before.Limit, before.Users);
        var users = new ListenerUsers(listener.Name, Ledger);
        users.Replace(listener.Credentials, Users.Today);
        return (new SessionLimit(MostSessionsOf(listener, settings)), users);
    }

    private static ListenerCounters CountersOf(ListenerSettings listener, ListenerContext? before) =>
        before is not null && before.Name == listener.Name ? before.Counters : new ListenerCounters(listener.Name);

    private static TimeWindow WindowOf(TimeWindowSettings window) =>
        new(window.Enabled, window.PastSeconds, window.FutureSeconds, window.AcceptUnsetClock);

    private (LearnedFlights Flights, FlightLearner? Learner) CreateLearner(ProxySettings settings, CoverServices cover)
    {
        var flights = new LearnedFlights(settings.Listeners.Length);
        if (_outside.Time is not { } time || settings.Cover.Mode == CoverMode.Off)
            return (flights, null);
        var connector = new CoverConnector(cover.Directory, settings.Cover.ProxyProtocol, time);
        var probe = new FlightProbe(connector, LearnerHellos, time, settings.Cover.ConnectTimeout);
        return (flights, new FlightLearner(settings, flights, probe, _loggers, time));
    }

    // With a cover, some descriptors are kept for strangers.
    private int MostSessionsOf(ListenerSettings listener, ProxySettings settings)
    {
        var sessions = ProcessLimits.Sessions();
        if (settings.Cover.Mode == CoverMode.Off || sessions == 0) return listener.MaxConnections;
        return (int)Math.Clamp(sessions - _budget.Most, 1, listener.MaxConnections);
    }
}
