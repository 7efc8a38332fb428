using System.Collections.Immutable;
using Portico.Core.Background;
using Portico.Core.Options;
using Portico.Protocol.FakeTls;

namespace Portico.Core.Cover.Learning;

/// <summary>One name at one cover, and what is known of its flight. Written by the learner alone.</summary>
internal sealed class FlightSubject(string domain, CoverTarget target, ImmutableArray<int> listeners, RefreshSchedule schedule)
{
    private const ushort PostQuantumGroup = 0x11ec;
    private const int SniPort = 443;

    private FlightSnapshot _snapshot = new(domain, target.ToString());

    public string Domain => domain;

    public CoverTarget Target => target;

    /// <summary>The listeners whose flights copy it.</summary>
    public ImmutableArray<int> Listeners => listeners;

    public RefreshSchedule Schedule => schedule;

    /// <summary>In force; null = nothing was ever learned.</summary>
    public LearnedFlight? Flight { get; set; }

    /// <summary>Why the last attempt failed.</summary>
    public FlightProblem Problem { get; set; }

    /// <summary>What the log has said already.</summary>
    public FlightProblem ToldProblem { get; set; }

    /// <summary>The same of notices.</summary>
    public FlightNotice ToldNotices { get; set; }

    /// <summary>For readers on any thread.</summary>
    public FlightSnapshot Snapshot => Volatile.Read(ref _snapshot);

    /// <summary>Makes it visible; the last thing of a round, so that who sees it finds everything else done.</summary>
    public void Show(FlightSnapshot snapshot) => Volatile.Write(ref _snapshot, snapshot);

    /// <summary>What is known now.</summary>
    public FlightSnapshot Describe(DateTimeOffset nextAttempt)
    {
        var shown = new FlightSnapshot(domain, target.ToString()) { Problem = Problem, NextAttempt = nextAttempt };
        return Flight is { } flight ? Describe(shown, flight) : shown;
    }

    /// <summary>The same with what was learned.</summary>
    public static FlightSnapshot Describe(FlightSnapshot shown, LearnedFlight flight) => shown with
    {
        LearnedAt = flight.AsOf,
        CipherSuite = flight.SuiteOf(TlsSuiteOffer.Usual),
        ClassicGroup = flight.ClassicGroup,
        PostQuantumGroup = flight.PostQuantumGroup,
        Order = flight.Order,
        SmallestRecord = flight.SmallestLength,
        LargestRecord = flight.LargestLength,
        Notices = NoticesOf(flight),
    };

    /// <summary>Where a stranger goes that names <paramref name="domain"/>: the one cover, or in the mode sni that site.</summary>
    public static CoverTarget TargetOf(ProxySettings settings, string domain) =>
        settings.Cover.Target ?? CoverTarget.OfHost(domain, SniPort);

    private static FlightNotice NoticesOf(LearnedFlight flight) =>
        (flight.LargestLength > ServerFlight.MaxAppDataLength ? FlightNotice.TooLarge : FlightNotice.None)
        | (flight.PostQuantumGroup == PostQuantumGroup ? FlightNotice.AnswersPostQuantum : FlightNotice.None)
        | (flight.HasOtherExtensions ? FlightNotice.OtherExtensions : FlightNotice.None);
}
