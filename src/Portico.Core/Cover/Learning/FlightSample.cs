using Portico.Protocol.FakeTls;

namespace Portico.Core.Cover.Learning;

/// <summary>What one hello was sent for.</summary>
/// <param name="Shape">Which generation of clients it looks like.</param>
/// <param name="Offer">The suites of TLS 1.3 in it.</param>
internal readonly record struct FlightQuestion(ClientHelloShape Shape, TlsSuiteOffer Offer)
{
    /// <summary>As a client of ours asks it.</summary>
    public bool IsUsual => Offer == TlsSuiteOffer.Usual;
}

/// <summary>What one connection to a cover showed.</summary>
/// <param name="Question">What was sent.</param>
/// <param name="Problem">Why there is no flight.</param>
/// <param name="Hello">Of a flight.</param>
/// <param name="EncryptedLength">Bytes of its encrypted records, headers included.</param>
internal readonly record struct FlightSample(
    FlightQuestion Question, FlightProblem Problem, ServerHello Hello = default, int EncryptedLength = 0)
{
    /// <summary>The cover has no suite in common with an unusual offer: an answer, too.</summary>
    public bool IsRefusedOffer => !Question.IsUsual && Problem is FlightProblem.Alert or FlightProblem.NotTls13;
}
