using System.Net.Sockets;
using Portico.Core.Cover.Learning;
using Portico.Core.Options;
using Portico.Protocol.FakeTls;
using Portico.TestKit.Covers;
using Portico.TestKit.Telegram;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Cover.Learning;

/// <summary>The learner against a site of which every byte is known.</summary>
public sealed class FlightLearnerTests
{
    public static TheoryData<SiteFault, FlightProblem> Faults => new()
    {
        { SiteFault.Alert, FlightProblem.Alert },
        { SiteFault.Garbage, FlightProblem.NotTls },
        { SiteFault.RetryRequest, FlightProblem.RetryRequest },
        { SiteFault.OldVersion, FlightProblem.NotTls13 },
        { SiteFault.Silent, FlightProblem.Timeout },
        { SiteFault.StopsInRecord, FlightProblem.Timeout },
        { SiteFault.ClosesAtOnce, FlightProblem.Closed },
        { SiteFault.Resets, FlightProblem.Closed },
        { SiteFault.EndsInRecord, FlightProblem.Closed },
        { SiteFault.EncryptedAlert, FlightProblem.Closed },
        { SiteFault.Endless, FlightProblem.Nonsense },
        { SiteFault.BrokenHello, FlightProblem.Nonsense },
    };

    [Theory]
    [InlineData(false, ServerExtensionOrder.SupportedVersionsFirst)]
    [InlineData(true, ServerExtensionOrder.KeyShareFirst)]
    public async Task Suites_order_group_and_size_are_learned_as_the_site_has_them(bool followsClient, ServerExtensionOrder order)
    {
        // Post-quantum hellos get 40 bytes more here, as from sites that answer their extensions.
        var script = new SiteScript
        {
            FollowsClient = followsClient,
            Order = order,
            Records = visit => [visit.IsPostQuantum ? 76 : 36, 455, 96, 53],
        };
        await using var site = ScriptedSite.Start(script);
        await using var stage = new LearnerStage(site);
        await stage.StartAsync();

        var flight = stage.Flights.Of(0)!;
        Assert.All(TlsSuiteOffer.All, offer => Assert.Equal(script.Choose(offer), flight.SuiteOf(offer)));
        Assert.Equal((order, 0x1d, 0x1d), (flight.Order, flight.ClassicGroup, flight.PostQuantumGroup));
        // 5 + length = the sum of 5 + length over the records; with SHA-256.
        var length = 36 + 455 + 96 + 53 + (3 * 5);
        Assert.Equal(
            (length, length + 40),
            (Assert.Single(flight.ClassicLengths.Distinct()), Assert.Single(flight.PostQuantumLengths.Distinct())));
        Assert.Equal(1, stage.CountOf("FlightLearned"));
        Assert.Empty(stage.Warnings);

        Assert.All(site.Visits, visit => Assert.Equal(("www.example.com", Received.Nothing(PeerEnd.Fin)), (visit.Sni, visit.Farewell)));
        Assert.Equal(FlightPlan.Questions.Length, site.Visits.Count);
    }

    [Fact]
    public async Task What_is_known_can_be_shown()
    {
        await using var site = ScriptedSite.Start(new SiteScript { AnswersPostQuantum = true });
        await using var stage = new LearnerStage(site);
        Assert.Equal(new FlightSnapshot("www.example.com", site.Endpoint.ToString()) { NextAttempt = stage.Time.GetUtcNow() }, stage.Seen);

        await stage.StartAsync();

        var seen = stage.Seen;
        Assert.Equal(
            (0x1302, 0x1d, 0x11ec, ServerExtensionOrder.SupportedVersionsFirst),
            (seen.CipherSuite, seen.ClassicGroup, seen.PostQuantumGroup, seen.Order));
        Assert.Equal((671, 671), (seen.SmallestRecord, seen.LargestRecord)); // 655, and 16 for SHA-384
        Assert.Equal((FlightNotice.AnswersPostQuantum, FlightProblem.None), (seen.Notices, seen.Problem));
        Assert.InRange(seen.NextAttempt - stage.Time.GetUtcNow(), LearnerStage.Learn * 0.89, LearnerStage.Learn * 1.11);
        Assert.Equal(["CoverAnswersPostQuantum"], stage.Warnings);

        await stage.NextRoundAsync();
        Assert.Single(stage.Warnings);
        Assert.Equal(1, stage.CountOf("FlightLearned"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    public async Task A_flight_in_small_pieces_is_the_same_flight(int piece)
    {
        await using var site = ScriptedSite.Start(new SiteScript { Piece = piece, Records = _ => [36, 120, 96, 53] });
        await using var stage = new LearnerStage(site);
        await stage.StartAsync();
        Assert.Equal([36 + 120 + 96 + 53 + 15], stage.Flights.Of(0)!.ClassicLengths.Distinct());
    }

    [Fact]
    public async Task A_site_that_closes_behind_its_flight_is_measured_at_once()
    {
        await using var site = ScriptedSite.Start(new SiteScript { Fault = SiteFault.EndsBehindFlight });
        await using var stage = new LearnerStage(site);
        await stage.StartAsync();
        Assert.Equal([655], stage.Flights.Of(0)!.ClassicLengths.Distinct());
    }

    [Fact]
    public async Task Signatures_of_three_lengths_are_three_lengths()
    {
        var turn = 0;
        await using var site = ScriptedSite.Start(
            new SiteScript { Records = _ => [36, 455, 95 + (Interlocked.Increment(ref turn) % 3), 53] });
        await using var stage = new LearnerStage(site);
        await stage.StartAsync();
        await stage.NextRoundAsync();
        Assert.Equal(
            [654, 655, 656], stage.Flights.Of(0)!.ClassicLengths.Concat(stage.Flights.Of(0)!.PostQuantumLengths).Distinct().Order());
        Assert.Equal(1, stage.CountOf("FlightLearned"));
    }

    [Fact]
    public async Task Other_certificates_are_noticed_at_the_next_round_and_told()
    {
        await using var site = ScriptedSite.Start();
        await using var stage = new LearnerStage(site);
        await stage.StartAsync();
        site.Script = new SiteScript { Records = _ => [36, 4000, 264, 53], Suites = [0x1301, 0x1302] };

        await stage.NextRoundAsync();

        Assert.Equal([36 + 4000 + 264 + 53 + 15], stage.Flights.Of(0)!.ClassicLengths.Distinct());
        Assert.Equal(0x1301, stage.Flights.Of(0)!.SuiteOf(TlsSuiteOffer.Usual));
        Assert.True(TlsSuiteOffer.TryFromCode(3, out var onlyChaCha));
        Assert.Equal(TlsCipherSuites.None, stage.Flights.Of(0)!.SuiteOf(onlyChaCha));
        Assert.Equal(2, stage.CountOf("FlightLearned"));
    }

    [Fact]
    public async Task A_flight_longer_than_clients_take_is_told()
    {
        await using var site = ScriptedSite.Start(new SiteScript { Records = _ => [36, 12000, 264, 53], HasOtherExtension = true });
        await using var stage = new LearnerStage(site);
        await stage.StartAsync();
        Assert.Equal(["CoverHasOtherExtensions", "FlightTooLarge"], stage.Warnings.Order());
        Assert.Equal(FlightNotice.TooLarge | FlightNotice.OtherExtensions, stage.Seen.Notices);
        Assert.Equal(ServerFlight.MaxAppDataLength, stage.Flights.Of(0)!.DrawLength(new(), isPostQuantum: false, 0x1301));
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_site_that_does_not_answer_as_it_should_is_told_once_and_asked_again_soon(SiteFault fault, FlightProblem problem)
    {
        await using var site = ScriptedSite.Start(new SiteScript { Fault = fault });
        await using var stage = new LearnerStage(site);
        await stage.StartAsync();

        Assert.Null(stage.Flights.Of(0));
        Assert.Equal(problem, stage.Seen.Problem);
        Assert.Equal(["FlightNotLearned"], stage.Warnings);
        Assert.InRange((stage.Seen.NextAttempt - stage.Time.GetUtcNow()).TotalSeconds, 1, 5);

        await stage.NextRoundAsync();
        Assert.Single(stage.Warnings);

        site.Script = new SiteScript();
        await stage.NextRoundAsync();
        Assert.NotNull(stage.Flights.Of(0));
        Assert.Equal((FlightProblem.None, 1), (stage.Seen.Problem, stage.CountOf("FlightLearned")));
    }

    [Fact]
    public async Task A_site_that_is_gone_costs_nothing_that_was_learned()
    {
        await using var site = ScriptedSite.Start();
        await using var stage = new LearnerStage(site);
        await stage.StartAsync();
        var learned = stage.Flights.Of(0);
        await site.StopListeningAsync();

        await stage.NextRoundAsync();

        Assert.Same(learned, stage.Flights.Of(0));
        Assert.Equal((FlightProblem.Unreachable, learned!.AsOf), (stage.Seen.Problem, stage.Seen.LearnedAt));
        Assert.Equal(["FlightNotLearnedAgain"], stage.Warnings);
    }

    [Fact]
    public async Task A_suite_that_nobody_offered_is_not_followed()
    {
        await using var site = ScriptedSite.Start(new SiteScript { Fault = SiteFault.StrangeSuite });
        await using var stage = new LearnerStage(site);
        await stage.StartAsync();
        Assert.All(TlsSuiteOffer.All, offer => Assert.Equal(TlsCipherSuites.None, stage.Flights.Of(0)!.SuiteOf(offer)));
    }

    [Fact]
    public async Task A_second_start_knows_at_once_what_the_first_one_learned()
    {
        await using var site = ScriptedSite.Start();
        await using var first = new LearnerStage(site);
        await first.StartAsync();

        await using var second = new LearnerStage(site, earlier: first);
        Assert.True(second.Flights.Of(0)!.LooksLike(first.Flights.Of(0)!));
        Assert.Equal(first.Seen.LearnedAt, second.Seen.LearnedAt);

        // Of another cover nothing is known.
        await using var third = new LearnerStage(
            site, settings => settings with { Cover = settings.Cover with { Target = CoverTarget.OfHost("other.example", 443) } },
            first);
        Assert.Null(third.Flights.Of(0));
    }

    [Fact]
    public async Task Each_name_in_links_is_asked_for_and_no_other()
    {
        await using var site = ScriptedSite.Start();
        await using var stage = new LearnerStage(site, settings => settings with
        {
            Listeners =
            [
                LearnerStage.Listener("one", "a.example.com"), LearnerStage.Listener("two", "b.example.com"),
                LearnerStage.Listener("three", "A.example.com"),
                LearnerStage.Listener("four", "c.example.com") with { Protocols = ClientProtocols.Secure },
            ],
        });
        await stage.StartAsync();

        Assert.Equal(["a.example.com", "b.example.com"], site.Visits.Select(visit => visit.Sni).Distinct().Order());
        Assert.Same(stage.Flights.Of(0), stage.Flights.Of(2));
        Assert.NotNull(stage.Flights.Of(1));
        Assert.Null(stage.Flights.Of(3));
    }

    [Fact]
    public async Task Mode_sni_asks_the_site_of_each_configured_name_and_none_that_is_not_public()
    {
        await using var site = ScriptedSite.Start();
        await using var stage = new LearnerStage(
            site, settings => settings with { Cover = new CoverSettings { Mode = CoverMode.Sni, Learn = LearnerStage.Learn } });
        await stage.StartAsync();
        Assert.Equal(("www.example.com:443", FlightProblem.NotPublic), (stage.Seen.Target, stage.Seen.Problem));
        Assert.Empty(site.Visits);
    }

    [Fact]
    public async Task A_cover_that_is_one_of_our_listeners_is_not_even_called()
    {
        await using var site = ScriptedSite.Start();
        await using var stage = new LearnerStage(site, settings =>
            settings with { Cover = settings.Cover with { Target = CoverTarget.OfHost("cover.example", site.Endpoint.Port) } });
        stage.Own.Bound(stage.Settings, [site.Endpoint]);
        await stage.StartAsync();
        Assert.Equal(FlightProblem.Loop, stage.Seen.Problem);
        Assert.Empty(site.Visits);
    }

    [Fact]
    public async Task A_hello_that_comes_back_to_us_shows_a_loop_that_addresses_do_not_show()
    {
        var gate = new Gate(isOpen: false);
        await using var site = ScriptedSite.Start(new SiteScript { Gate = gate });
        await using var stage = new LearnerStage(site);
        var started = stage.StartAsync();
        await site.UntilAsync(s => s.Visits.Count == FlightPlan.AtATime);
        foreach (var visit in site.Visits) Assert.True(stage.Hellos.Recognize(visit.Hello.AsSpan()));
        gate.Open();
        await started;

        Assert.Equal((FlightProblem.Loop, "FlightNotLearned"), (stage.Seen.Problem, Assert.Single(stage.Warnings)));
        Assert.All(site.Visits, visit => Assert.False(stage.Hellos.Recognize(visit.Hello.AsSpan())));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_cover_that_expects_a_PROXY_header_gets_one(int version)
    {
        await using var site = ScriptedSite.Start(
            version == 1 ? new SiteScript { EndsPreambleWithLine = true } : new SiteScript { PreambleLength = 28 });
        await using var stage = new LearnerStage(
            site, settings => settings with { Cover = settings.Cover with { ProxyProtocol = version } });
        await stage.StartAsync();

        Assert.NotNull(stage.Flights.Of(0));
        byte[] expected = version == 1
            ? [.. "PROXY TCP4 127.0.0.1 127.0.0.1 "u8]
            : [0x0d, 0x0a, 0x0d, 0x0a, 0, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a, 0x21, 0x11, 0, 12, 127, 0, 0, 1, 127, 0, 0, 1];
        Assert.All(site.Visits, visit => Assert.Equal(expected, visit.Preamble.Take(expected.Length)));
    }

    [Fact]
    public async Task A_stop_in_the_middle_of_a_connection_is_at_once()
    {
        await using var site = ScriptedSite.Start(new SiteScript { Fault = SiteFault.Silent });
        var stage = new LearnerStage(site);
        stage.Learner.Start();
        await site.UntilAsync(s => s.Visits.Count == FlightPlan.AtATime);
        await stage.DisposeAsync();
        await site.UntilAsync(s => s.Visits.All(visit => visit.Farewell is not null));
    }

    [Fact]
    public async Task A_directory_that_cannot_be_written_to_is_told_once()
    {
        await using var site = ScriptedSite.Start();
        var file = Path.GetTempFileName();
        await using var stage = new LearnerStage(site, settings => settings with { DataDirectory = file });
        await stage.StartAsync();
        await stage.NextRoundAsync();
        Assert.NotNull(stage.Flights.Of(0));
        Assert.Equal(["FlightsNotKept"], stage.Warnings);
        File.Delete(file);
    }

    [Fact]
    public async Task A_cover_behind_a_Unix_socket_is_asked_there()
    {
        await using var site = ScriptedSite.Start();
        var folder = Directory.CreateTempSubdirectory("portico-");
        var path = Path.Combine(folder.FullName, "site.sock");
        using var listening = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listening.Bind(new UnixDomainSocketEndPoint(path));
        listening.Listen();
        await using (var stage = new LearnerStage(
            site, settings => settings with { Cover = settings.Cover with { Target = CoverTarget.OfUnixPath(path) } }))
        {
            var started = stage.StartAsync();
            using var accepted = await listening.AcceptAsync().WaitAsync(Wire.Patience);
            var start = new byte[5];
            var count = await accepted.ReceiveAsync(start).WaitAsync(Wire.Patience);
            Assert.Equal([0x16, 3, 1], start[..Math.Min(3, count)]);
            accepted.Dispose();
            listening.Dispose();
            await started;
            Assert.NotEqual(FlightProblem.None, stage.Seen.Problem);
            Assert.Equal($"unix:{path}", stage.Seen.Target);
        }

        folder.Delete(recursive: true);
    }
}
