using System.Collections.Immutable;
using System.Net;
using Portico.Core.Admission.Policy;
using Portico.Core.Admission.Replay;
using Portico.Core.Backends.Direct;
using Portico.Core.Backends.MiddleProxy;
using Portico.Core.Clients;
using Portico.Core.Cover;
using Portico.Core.Cover.Learning;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Sessions;
using Portico.Core.Telegram;
using Portico.Core.Users;

namespace Portico.Core.Control;

/// <summary>What administration reads and posts to. What changes with the settings is asked for each time.</summary>
internal sealed record ControlParts
{
    public required IReadOnlyList<EventLoop> Loops { get; init; }

    public required Func<ProxySettings> Settings { get; init; }

    /// <summary>The steps of each loop, for its listeners.</summary>
    public required Func<ImmutableArray<LoopServices>> Steps { get; init; }

    /// <summary>Where each listener of the settings listens.</summary>
    public required Func<ImmutableArray<IPEndPoint>> Endpoints { get; init; }

    public required Func<bool> IsDraining { get; init; }

    public required Func<IEnumerable<DcCounters>> Dcs { get; init; }

    public required DcHealth DcHealth { get; init; }

    public required MiddleProxyHealth MiddleHealth { get; init; }

    public required MiddleProxyDirectory MiddleProxies { get; init; }

    public required Func<ConfigUpdater?> Updater { get; init; }

    public required Func<CoverServices> Cover { get; init; }

    public required Func<FlightLearner?> Learner { get; init; }

    public required AccessPolicy Policy { get; init; }

    public required MemoryGovernor Memory { get; init; }

    public required ReplayMemory Replays { get; init; }

    public required SessionCount Sessions { get; init; }

    /// <summary>What was told of clients' clocks last.</summary>
    public required Func<ClockReport?> Clocks { get; init; }

    public required EventFeed Events { get; init; }

    public required UserKeeper Users { get; init; }

    public required UsageLedger Ledger { get; init; }

    /// <summary>Of the file and managed, each once.</summary>
    public required Func<IEnumerable<UserRecord>> AllUsers { get; init; }

    /// <summary>Puts managed users in force, and says whether it did: not while the proxy stops.</summary>
    public required Func<ImmutableArray<Credential>, Task<bool>> PutUsers { get; init; }

    /// <summary>Users of the configuration file in force, with the place where each stands.</summary>
    public required Func<IEnumerable<(Credential User, string Place)>> UsersInFile { get; init; }

    public required TimeProvider Time { get; init; }
}
