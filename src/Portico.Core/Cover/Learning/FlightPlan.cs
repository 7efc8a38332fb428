using System.Collections.Immutable;
using Portico.Protocol.FakeTls;

namespace Portico.Core.Cover.Learning;

/// <summary>
/// Which hellos one measurement sends, and what is made of the answers.
/// What real clients offer is asked several times, because an ECDSA signature has three lengths;
/// each other offer of suites once, because a server's preference can depend on all of them.
/// </summary>
internal static class FlightPlan
{
    /// <summary>Connections at a time: a site must not notice, and one that serves them in turn must still be done in time.</summary>
    public const int AtATime = 4;

    // So many samples find the law of a signature's length (SignatureLengths) nearly always.
    private const int UsualRounds = 8;

    // A lost segment shows as a flight that ended early; it is far from all others.
    private const int Near = 8;

    /// <summary>The usual ones first: if they fail the rest is not worth asking.</summary>
    public static ImmutableArray<FlightQuestion> Questions { get; } = [.. Usual().Concat(Unusual())];

    /// <summary>Puts the samples of one measurement together.</summary>
    /// <param name="samples">One for each question; none of them failed, except for refused offers.</param>
    /// <param name="asOf">The time.</param>
    public static LearnedFlight Conclude(IReadOnlyCollection<FlightSample> samples, DateTimeOffset asOf)
    {
        var flights = samples.Where(sample => sample.Problem == FlightProblem.None).ToList();
        var suites = new ushort[TlsSuiteOffer.MaxCode];
        // A choice that was not offered is none: the cover would be broken, and we must not follow it there.
        foreach (var (question, _, hello, _) in flights.Where(flight => flight.Question.Offer.Contains(flight.Hello.CipherSuite)))
            suites[question.Offer.Code] = hello.CipherSuite;
        var classic = flights.Last(flight => flight.Question is { IsUsual: true, Shape: ClientHelloShape.Classic517 }).Hello;
        var postQuantum = flights.Last(flight => flight.Question is { IsUsual: true, Shape: ClientHelloShape.PostQuantum }).Hello;
        return new LearnedFlight([.. suites])
        {
            ClassicGroup = classic.Group,
            PostQuantumGroup = postQuantum.Group,
            Order = postQuantum.Order,
            HasOtherExtensions = flights.Any(flight => flight.Hello.HasOtherExtensions),
            ClassicLengths = Lengths(flights, ClientHelloShape.Classic517),
            PostQuantumLengths = Lengths(flights, ClientHelloShape.PostQuantum),
            AsOf = asOf,
        };
    }

    private static IEnumerable<FlightQuestion> Usual() => Enumerable.Range(0, UsualRounds)
        .SelectMany(_ => (ClientHelloShape[])[ClientHelloShape.PostQuantum, ClientHelloShape.Classic517])
        .Select(shape => new FlightQuestion(shape, TlsSuiteOffer.Usual));

    private static IEnumerable<FlightQuestion> Unusual() => TlsSuiteOffer.All.Where(offer => offer != TlsSuiteOffer.Usual)
        .Select((offer, index) => new FlightQuestion(index % 2 == 0 ? ClientHelloShape.PostQuantum : ClientHelloShape.Classic517, offer));

    private static ImmutableArray<int> Lengths(IEnumerable<FlightSample> flights, ClientHelloShape shape)
    {
        var lengths = flights.Where(flight => flight.Question.Shape == shape)
            .Select(flight => LearnedFlight.LengthOf(flight.EncryptedLength, flight.Hello.CipherSuite)).Order().ToImmutableArray();
        var confirmed = lengths
            .Where((length, index) => lengths.Where((other, at) => at != index && Math.Abs(other - length) <= Near).Any())
            .ToImmutableArray();
        return confirmed.IsEmpty ? lengths : confirmed;
    }
}
