using System.Runtime.CompilerServices;
using Portico.Core.Cover.Learning;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Sessions;
using Portico.Protocol;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Obfuscation;

namespace Portico.Core.Handshake;

/// <summary>
/// Step 4: our flight to a fake-TLS client, then its 64-byte header. From the flight on, nothing the client does may show that we are
/// not the TLS server we played: what cannot be decoded ends as it does there, with one encrypted alert and FIN (spec/02 "Changed").
/// </summary>
/// <param name="context">Of the loop.</param>
/// <param name="flights">What the covers' flights look like.</param>
/// <param name="points">Key shares.</param>
/// <param name="wrongTransports">Of the whole proxy.</param>
internal sealed class ServerHandshake(
    LoopContext context, LearnedFlights flights, X25519PointPool points, WrongTransportLog wrongTransports)
{
    private const int ReadsPerTurn = 4;

    /// <summary>Completes when DC and framing are known, or the client is gone or is sent an alert.</summary>
    [AsyncMethodBuilder(typeof(StepMethodBuilder<>))]
    public async ValueTask<StepResult> CompleteAsync(HandshakeState handshake)
    {
        handshake.DropCover(); // one that was opened while nobody could tell, and has not said anything
        if (!handshake.Result.IsTls)
        {
            handshake.KeepEarly(handshake.Raw.AsSpan(0, handshake.RawLength)[handshake.Result.RawConsumed..]);
            handshake.DropRaw();
            return Accept(handshake);
        }

        handshake.SetDeadline(context.Loop.NowMs + (long)context.Timeouts.Header.TotalMilliseconds);
        for (var left = SendFlight(handshake); left > 0; left = handshake.FlushOutput())
        {
            if (handshake.Session.Client.Failed)
                return CountUnfinished(handshake, CloseReason.ClientReset);
            var wake = await handshake.NextEventAsync();
            if (wake != Wake.Event) return CountUnfinished(handshake, Reason(wake));
        }

        // Bytes may stand behind the hello already; they are judged like those to come.
        var early = handshake.Raw.AsSpan(0, handshake.RawLength)[handshake.Result.RawConsumed..];
        if (TakeRecords(handshake, early) is { } told) return told;
        handshake.DropRaw();
        for (var reads = 1; ; reads++)
        {
            switch (ReadRecords(handshake, out var outcome))
            {
                case IoStatus.Ok when outcome is { } greeted:
                    return greeted;
                case IoStatus.Ok when reads % ReadsPerTurn != 0:
                    continue;
                case IoStatus.Eof:
                    return CountUnfinished(handshake, CloseReason.ClientClosed);
                case IoStatus.Reset:
                    return CountUnfinished(handshake, CloseReason.ClientReset);
            }

            // Records without payload can come for ever: they neither hold the loop nor extend the deadline.
            var wake = handshake.Session.Client.CanRead ? await handshake.YieldAsync() : await handshake.NextEventAsync();
            if (wake != Wake.Event) return CountUnfinished(handshake, Reason(wake));
        }
    }

    private static StepResult CountUnfinished(HandshakeState handshake, CloseReason reason)
    {
        if (reason != CloseReason.Shutdown)
            handshake.Session.CountEarlyEnd(handshake.Header.Length == 0 ? EarlyEnd.SilentAfterFlight : EarlyEnd.PartialHeader);
        return StepResult.Gone(reason);
    }

    private static CloseReason Reason(Wake wake) => wake == Wake.Deadline ? CloseReason.HeaderTimeout : CloseReason.Shutdown;

    // Returns how many bytes the client's kernel had no room for.
    private int SendFlight(HandshakeState handshake)
    {
        var client = handshake.Result;
        using var scratch = handshake.Loop.Scratch.Borrow();
        // Like the cover's, or by chance until it was measured; one snapshot for everything, since it may be replaced at any time.
        var learned = flights.Of(handshake.Session.Listener.Index);
        var suite = learned?.SuiteOf(client.Suites) is { } chosen and not TlsCipherSuites.None ? chosen : client.CipherSuite;
        var appData = learned?.DrawLength(context.Random, client.HasPostQuantumShare, suite)
            ?? context.Random.Between(ServerFlight.LeastRandomAppData, ServerFlight.MostRandomAppData);
        var flight = scratch.Bytes[..ServerFlight.Length(client.SessionId.Length, appData)];
        Span<byte> key = stackalloc byte[X25519PointPool.KeyLength];
        points.Take(context.Random, key);
        context.Random.Fill(flight[ServerFlight.AppDataOffset(client.SessionId.Length)..]);
        ServerFlight.Write(
            flight, scratch.Bytes[flight.Length..], client.Secret!, client.Random,
            client.SessionId, suite, key, learned?.Order ?? ServerExtensionOrder.KeyShareFirst);
        return handshake.Send(flight);
    }

    private IoStatus ReadRecords(HandshakeState handshake, out StepResult? outcome)
    {
        outcome = null;
        using var scratch = handshake.Loop.Scratch.Borrow();
        var status = handshake.Session.Client.Read(scratch.Bytes, out var count);
        handshake.Session.CountReceived(count);
        if (count > 0) handshake.NoteByte();
        if (status == IoStatus.Ok) outcome = TakeRecords(handshake, scratch.Bytes[..count]);
        return status;
    }

    // Null while more bytes are needed.
    private StepResult? TakeRecords(HandshakeState handshake, Span<byte> wire)
    {
        var payload = handshake.Result.Records.Unwrap(wire, out var end);
        var rest = handshake.Header.Take(payload);
        return end switch
        {
            TlsRecordEnd.Alert => StepResult.End(EndManner.Fin, CloseReason.ClientClosed), // a TLS peer's goodbye: FIN, no byte
            TlsRecordEnd.BadRecord => StepResult.End(EndManner.Alert, CloseReason.TlsBadRecord),
            _ => handshake.Header.IsComplete ? ReadHeader(handshake, rest) : null,
        };
    }

    private StepResult ReadHeader(HandshakeState handshake, Span<byte> rest)
    {
        var client = handshake.Result;
        if (!ObfuscatedHeader.TryRead(handshake.Header.Bytes, client.Secret!, out client.Streams, out var transport, out var dc))
            return StepResult.End(EndManner.Alert, CloseReason.UnknownProtocol);
        if (transport != Transport.Padded)
        {
            wrongTransports.Met(handshake.Session, transport);
            return StepResult.End(EndManner.Alert, CloseReason.TlsBadInnerProtocol);
        }

        client.Transport = transport;
        client.DcId = dc;
        handshake.KeepEarly(rest);
        return Accept(handshake);
    }

    private static StepResult Accept(HandshakeState handshake)
    {
        handshake.Session.AcceptHeader(handshake.Result.IsTls, handshake.Result.Transport, handshake.Result.DcId);
        return default;
    }
}
