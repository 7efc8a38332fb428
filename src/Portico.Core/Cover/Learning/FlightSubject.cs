using System.Collections.Immutable;
using Portico.Core.Background;
using Portico.Core.Options;
using Portico.Protocol.FakeTls;

namespace Portico.Core.Cover.Learning;

/// <summary>One name at one cover, and what is known of its flight. Written by the learner alone.</summary>
internal sealed class FlightSubject(string domain, CoverTarget target, ImmutableArray<int> listeners, RefreshSchedule schedule)
{
    private const ushort PostQuantumGroup = 0x11ec;

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
        return Flight is not { } flight ? shown : shown with
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
    }

    private static FlightNotice NoticesOf(LearnedFlight flight) =>
        (flight.LargestLength > ServerFlight.MaxAppDataLength ? FlightNotice.TooLarge : FlightNotice.None)
        | (flight.PostQuantumGroup == PostQuantumGroup ? FlightNotice.AnswersPostQuantum : FlightNotice.None)
        | (flight.HasOtherExtensions ? FlightNotice.OtherExtensions : FlightNotice.None);
}
