using System.Net;
using Portico.Core.Options;
using Portico.Protocol.FakeTls;

namespace Portico.Core.Cover.Learning;

/// <summary>Asks a cover how it answers our clients' hellos, for those who want to know it without running a proxy.</summary>
public static class CoverInspection
{
    // A signature's length varies, and a machine behind one name may differ from another.
    private const int Rounds = 2;

    /// <summary>Asks a few times. A cover that does not answer as it should is a value, never an exception.</summary>
    /// <param name="settings">Of the proxy; the cover is not off.</param>
    /// <param name="domain">For whom to ask: the name in links.</param>
    /// <param name="resolve">The addresses of the cover's name.</param>
    /// <param name="localAddresses">Those of this machine: a cover there, at a port of ours, would be ourselves.</param>
    /// <param name="patience">For connecting, and again for the whole answer.</param>
    /// <param name="time">Measures it.</param>
    /// <param name="stop">Ends it at once.</param>
    /// <exception cref="OperationCanceledException">Because of <paramref name="stop"/>.</exception>
    public static async Task<FlightSnapshot> AskAsync(
        ProxySettings settings, string domain, Func<string, Task<IPAddress[]>> resolve, Func<IEnumerable<IPAddress>> localAddresses,
        TimeSpan patience, TimeProvider time, CancellationToken stop)
    {
        var target = FlightSubject.TargetOf(settings, domain);
        var own = new OwnEndpoints(localAddresses);
        own.Bound(settings, settings.Listeners.Select(listener => listener.Address));
        var directory = new CoverDirectory(settings.Cover, own, resolve, time);
        directory.Begin();
        var probe = new FlightProbe(
            new CoverConnector(directory, settings.Cover.ProxyProtocol, time), new LearnerHellos(), time, patience);

        FlightQuestion[] questions = [.. Shapes().Select(shape => new FlightQuestion(shape, TlsSuiteOffer.Usual))];
        var asked = questions.Select(question => probe.AskAsync(target, domain, question, stop));
        var samples = await Task.WhenAll(asked).ConfigureAwait(false);
        var failed = samples.FirstOrDefault(sample => sample.Problem != FlightProblem.None);
        var shown = new FlightSnapshot(domain, target.ToString()) { Problem = failed.Problem };
        return failed.Problem != FlightProblem.None ? shown : Describe(shown, samples, time.GetUtcNow());
    }

    private static IEnumerable<ClientHelloShape> Shapes() =>
        Enumerable.Repeat((ClientHelloShape[])[ClientHelloShape.PostQuantum, ClientHelloShape.Classic517], Rounds).SelectMany(both => both);

    private static FlightSnapshot Describe(FlightSnapshot shown, FlightSample[] samples, DateTimeOffset asOf)
    {
        var suites = new ushort[TlsSuiteOffer.MaxCode];
        suites[TlsSuiteOffer.Usual.Code] = samples[0].Hello.CipherSuite;
        var flight = new LearnedFlight([.. suites])
        {
            PostQuantumGroup = samples[0].Hello.Group,
            ClassicGroup = samples[1].Hello.Group,
            Order = samples[0].Hello.Order,
            HasOtherExtensions = samples.Any(sample => sample.Hello.HasOtherExtensions),
            PostQuantumLengths = [.. Lengths(samples, ClientHelloShape.PostQuantum)],
            ClassicLengths = [.. Lengths(samples, ClientHelloShape.Classic517)],
            AsOf = asOf,
        };
        return FlightSubject.Describe(shown, flight);
    }

    private static IEnumerable<int> Lengths(FlightSample[] samples, ClientHelloShape shape) => samples
        .Where(sample => sample.Question.Shape == shape)
        .Select(sample => LearnedFlight.LengthOf(sample.EncryptedLength, sample.Hello.CipherSuite));
}
