using Portico.Core.Cover.Learning;
using Portico.Protocol.FakeTls;
using Xunit;

namespace Portico.Core.Tests.Cover.Learning;

public sealed class FlightPlanTests
{
    [Fact]
    public void Every_offer_is_asked_and_what_clients_send_several_times_in_both_shapes()
    {
        Assert.Equal(
            TlsSuiteOffer.All.Order(Comparer<TlsSuiteOffer>.Create((x, y) => x.Code - y.Code)),
            FlightPlan.Questions.Select(question => question.Offer)
                .Distinct().Order(Comparer<TlsSuiteOffer>.Create((x, y) => x.Code - y.Code)));
        Assert.All(Enum.GetValues<ClientHelloShape>(), shape => Assert.True(
            FlightPlan.Questions.Count(question => question.IsUsual && question.Shape == shape) >= 4));
        Assert.All(FlightPlan.Questions.Take(FlightPlan.AtATime), question => Assert.True(question.IsUsual));
    }

    [Fact]
    public void Samples_become_a_table_of_choices_and_lengths_that_do_not_depend_on_the_suite()
    {
        var flight = FlightPlan.Conclude(
            [.. FlightPlan.Questions.Select(question => Sample(question, question.Shape == ClientHelloShape.PostQuantum ? 700 : 650))],
            Flights.AsOf);

        // This one takes 1302 before all others, and the client's order of the rest.
        Assert.All(TlsSuiteOffer.All, offer => Assert.Equal(Choice(offer), flight.SuiteOf(offer)));
        Assert.Equal((645, 695), (Assert.Single(flight.ClassicLengths.Distinct()), Assert.Single(flight.PostQuantumLengths.Distinct())));
        Assert.Equal((645 + 16, 695 + 16), (flight.SmallestLength, flight.LargestLength));
        Assert.Equal((0x1d, 0x11ec), (flight.ClassicGroup, flight.PostQuantumGroup));
    }

    [Fact]
    public void Offers_that_the_cover_refuses_and_suites_that_were_not_offered_are_left_to_the_clients_order()
    {
        var samples = FlightPlan.Questions.Select(question => question.Offer.ToString() switch
        {
            "1303" => new FlightSample(question, FlightProblem.Alert),
            "1301" => new FlightSample(question, FlightProblem.NotTls13),
            "1302 1301" => Sample(question, 650) with { Hello = Hello(question, 0x1303) },
            _ => Sample(question, 650),
        }).ToList();
        Assert.All(samples, sample => Assert.True(sample.Problem == FlightProblem.None || sample.IsRefusedOffer));

        var flight = FlightPlan.Conclude(samples, Flights.AsOf);

        Assert.Equal(
            ["1301", "1302 1301", "1303"],
            TlsSuiteOffer.All.Where(offer => flight.SuiteOf(offer) == 0).Select(offer => offer.ToString()).Order(StringComparer.Ordinal));
        Assert.False(new FlightSample(FlightPlan.Questions[0], FlightProblem.Alert).IsRefusedOffer);
    }

    [Fact]
    public void A_flight_that_was_cut_short_by_a_lost_segment_does_not_count()
    {
        var samples = FlightPlan.Questions.Select((question, index) => Sample(question, index == 1 ? 400 : 650 + (index % 3))).ToList();
        Assert.DoesNotContain(395, FlightPlan.Conclude(samples, Flights.AsOf).ClassicLengths);
    }

    [Fact]
    public void Two_certificates_behind_one_name_are_two_lengths()
    {
        var samples = FlightPlan.Questions.Select((question, index) => Sample(question, index % 4 < 2 ? 650 : 2000)).ToList();
        Assert.Equal([645, 1995], FlightPlan.Conclude(samples, Flights.AsOf).ClassicLengths.Distinct().Order());
    }

    [Fact]
    public void Every_problem_has_words_and_every_end_of_the_meter_is_one()
    {
        Assert.All(Enum.GetValues<FlightProblem>(), problem => Assert.NotEmpty(problem.Words()));
        Assert.All(Enum.GetValues<ServerFlightEnd>(), end => Assert.Equal(
            end == ServerFlightEnd.None, FlightProblems.Of(end) == FlightProblem.None));
    }

    private static ushort Choice(TlsSuiteOffer offer) => offer.Contains(0x1302) ? (ushort)0x1302 : offer.Suites.First();

    private static FlightSample Sample(FlightQuestion question, int encryptedLength)
    {
        var suite = Choice(question.Offer);
        return new FlightSample(question, FlightProblem.None, Hello(question, suite), encryptedLength + (suite == 0x1302 ? 16 : 0));
    }

    private static ServerHello Hello(FlightQuestion question, int suite)
    {
        byte[] share = question.Shape == ClientHelloShape.PostQuantum
            ? [0, 0x33, 4, 0x64, 0x11, 0xec, 4, 0x60, .. new byte[1120]]
            : [0, 0x33, 0, 0x24, 0, 0x1d, 0, 0x20, .. new byte[32]];
        byte[] rest =
        [
            3, 3, .. new byte[32], 0, (byte)(suite >> 8), (byte)suite, 0,
            (byte)((share.Length + 6) >> 8), (byte)(share.Length + 6), .. share, 0, 0x2b, 0, 2, 3, 4,
        ];
        Assert.True(ServerHello.TryParse([2, 0, (byte)(rest.Length >> 8), (byte)rest.Length, .. rest], out var hello));
        return hello;
    }
}
