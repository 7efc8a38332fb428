using System.Net;
using Portico.TestKit.Wires;

namespace Portico.IntegrationTests.Cover.Probes;

/// <summary>Somebody who asks and writes down what comes back.</summary>
/// <param name="FlightRecords">Records in the cover's answer to an honest hello.</param>
/// <param name="Quiet">A server that says nothing for so long and does not end keeps the connection open.</param>
internal sealed record Prober(int FlightRecords, TimeSpan Quiet)
{
    /// <summary>The whole of a probe.</summary>
    public async Task<Observation> AskAsync(IPEndPoint endpoint, Probe probe)
    {
        await using var question = await BeginAsync(endpoint, probe);
        return await question.AnswerAsync(Quiet);
    }

    /// <summary>The steps of a probe; what the server makes of it is looked at later.</summary>
    public async Task<Question> BeginAsync(IPEndPoint endpoint, Probe probe)
    {
        var wire = await Wire.ConnectAsync(endpoint);
        var received = new MemoryStream();
        foreach (var step in probe.Steps)
        {
            if (step == ProbeStep.Finish)
                wire.FinishSending();
            else if (step == ProbeStep.AwaitFlight)
                await AwaitFlightAsync(wire, received);
            else
                await wire.TrySendAsync(step.Bytes, step.Piece);
        }
        return new Question(probe, wire, received);
    }

    // Who goes on before the flight is there asks another question: in a crowd this needs patience.
    private async Task AwaitFlightAsync(Wire wire, MemoryStream received)
    {
        var buffer = new byte[65536];
        while (Observation.CountRecords(received.ToArray()) < FlightRecords)
        {
            var (count, end) = await wire.ReadSomeAsync(buffer, Quiet);
            if (end != PeerEnd.None)
                return;
            received.Write(buffer, 0, count);
        }
    }
}

/// <summary>A probe that was sent.</summary>
internal sealed class Question(Probe probe, Wire wire, MemoryStream received) : IAsyncDisposable
{
    public Probe Probe => probe;

    /// <summary>Everything the server says until it ends, or says nothing for <paramref name="quiet"/>.</summary>
    public async Task<Observation> AnswerAsync(TimeSpan quiet)
    {
        var rest = await wire.ReadToEndAsync(quiet);
        received.Write(rest.Bytes);
        return Observation.Of(new Received(received.ToArray(), rest.End));
    }

    public ValueTask DisposeAsync() => wire.DisposeAsync();
}
