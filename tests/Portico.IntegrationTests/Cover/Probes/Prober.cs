using System.Net;
using Portico.TestKit.Wires;

namespace Portico.IntegrationTests.Cover.Probes;

/// <summary>Somebody who asks and writes down what comes back.</summary>
/// <param name="FlightRecords">Records in the cover's answer to an honest hello.</param>
/// <param name="Quiet">A server that says nothing for so long and does not end keeps the connection open.</param>
internal sealed record Prober(int FlightRecords, TimeSpan Quiet)
{
    public async Task<Observation> AskAsync(IPEndPoint endpoint, Probe probe)
    {
        await using var wire = await Wire.ConnectAsync(endpoint);
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
        var rest = await wire.ReadToEndAsync(Quiet);
        received.Write(rest.Bytes);
        return Observation.Of(new Received(received.ToArray(), rest.End));
    }

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
