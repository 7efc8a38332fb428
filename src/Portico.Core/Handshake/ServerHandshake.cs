using System.Runtime.CompilerServices;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Protocol;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Obfuscation;

namespace Portico.Core.Handshake;

/// <summary>
/// Step 4: our flight to a fake-TLS client, then its 64-byte header. From the flight on, nothing the client does may show that we are
/// not the TLS server we played (spec/02 section 11): what cannot be decoded is read and never answered.
/// </summary>
internal static class ServerHandshake
{
    private const int ReadsPerTurn = 4;

    /// <summary>Completes when DC and framing are known, or the client is gone or must be kept quiet.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<Greeted> CompleteAsync(HandshakeState handshake)
    {
        handshake.DropCover(); // one that was opened while nobody could tell, and has not said anything
        if (!handshake.Client.IsTls)
        {
            handshake.KeepEarly(handshake.Raw.AsSpan(0, handshake.RawLength)[handshake.Client.RawConsumed..]);
            handshake.DropRaw();
            return Accept(handshake);
        }

        var loop = handshake.Session.Loop;
        handshake.SetDeadline(loop.Loop.NowMs + (long)loop.Timeouts.Header.TotalMilliseconds);
        for (var left = SendFlight(handshake); left > 0; left = handshake.FlushOutput())
        {
            if (handshake.Session.Client.Failed) return Untold(handshake, CloseReason.ClientReset);
            var wake = await handshake.NextEventAsync();
            if (wake != Wake.Event) return Untold(handshake, Reason(wake));
        }

        // Bytes may stand behind the hello already; they are judged like those to come.
        var early = handshake.Raw.AsSpan(0, handshake.RawLength)[handshake.Client.RawConsumed..];
        if (TakeRecords(handshake, early, out var greeted)) return greeted;
        handshake.DropRaw();
        for (var reads = 1; ; reads++)
        {
            switch (ReadRecords(handshake, out greeted))
            {
                case IoStatus.Ok when greeted is { IsComplete: true }:
                    return greeted;
                case IoStatus.Ok when reads % ReadsPerTurn != 0:
                    continue;
                case IoStatus.Eof:
                    return Untold(handshake, CloseReason.ClientClosed);
                case IoStatus.Reset:
                    return Untold(handshake, CloseReason.ClientReset);
            }

            // Records without payload can come for ever: they neither hold the loop nor extend the deadline.
            var wake = handshake.Session.Client.CanRead ? await handshake.YieldAsync() : await handshake.NextEventAsync();
            if (wake != Wake.Event) return Untold(handshake, Reason(wake));
        }
    }

    private static Greeted Untold(HandshakeState handshake, CloseReason reason)
    {
        if (reason != CloseReason.Shutdown) handshake.Session.CountEarlyEnd(handshake.Header.Length == 0 ? EarlyEnd.SilentAfterFlight : EarlyEnd.PartialHeader);
        return Greeted.Gone(reason);
    }

    private static CloseReason Reason(Wake wake) => wake == Wake.Deadline ? CloseReason.HeaderTimeout : CloseReason.Shutdown;

    // Returns how many bytes the client's kernel had no room for.
    private static int SendFlight(HandshakeState handshake)
    {
        var (session, client) = (handshake.Session, handshake.Client);
        using var scratch = handshake.Loop.Scratch.Borrow();
        // Like the cover's, or by chance until it was measured; one snapshot for everything, since it may be replaced at any time.
        var learned = session.Loop.Proxy.Flights.Of(session.Listener.Index);
        var suite = learned?.SuiteOf(client.Suites) is { } chosen and not TlsCipherSuites.None ? chosen : client.CipherSuite;
        var appData = learned?.DrawLength(session.Loop.Random, client.HasPostQuantumShare, suite) ?? session.Loop.Random.Between(ServerFlight.LeastRandomAppData, ServerFlight.MostRandomAppData);
        var flight = scratch.Bytes[..ServerFlight.Length(client.SessionId.Length, appData)];
        Span<byte> key = stackalloc byte[X25519PointPool.KeyLength];
        session.Loop.Proxy.Points.Take(session.Loop.Random, key);
        session.Loop.Random.Fill(flight[ServerFlight.AppDataOffset(client.SessionId.Length)..]);
        ServerFlight.Write(flight, scratch.Bytes[flight.Length..], client.Secret!, client.Random, client.SessionId, suite, key, learned?.Order ?? ServerExtensionOrder.KeyShareFirst);
        return handshake.Send(flight);
    }

    private static IoStatus ReadRecords(HandshakeState handshake, out Greeted greeted)
    {
        greeted = default;
        using var scratch = handshake.Loop.Scratch.Borrow();
        var status = handshake.Session.Client.Read(scratch.Bytes, out var count);
        handshake.Session.CountReceived(count);
        if (status == IoStatus.Ok) TakeRecords(handshake, scratch.Bytes[..count], out greeted);
        return status;
    }

    // True when the greeting is over, for good or for bad.
    private static bool TakeRecords(HandshakeState handshake, Span<byte> wire, out Greeted greeted)
    {
        var client = handshake.Client;
        var payload = client.Records.Unwrap(wire, out var end);
        var rest = handshake.Header.Take(payload);
        greeted = default;
        if (end == TlsRecordEnd.Alert) greeted = Greeted.Ended();
        else if (end == TlsRecordEnd.BadRecord) greeted = Greeted.Quiet(CloseReason.TlsBadRecord);
        else if (handshake.Header.IsComplete) greeted = ReadHeader(handshake, rest);
        return greeted.IsComplete;
    }

    private static Greeted ReadHeader(HandshakeState handshake, Span<byte> rest)
    {
        var client = handshake.Client;
        if (!ObfuscatedHeader.TryRead(handshake.Header.Bytes, client.Secret!, out client.Streams, out var transport, out var dc)) return Greeted.Quiet(CloseReason.UnknownProtocol);
        if (transport != Transport.Padded) return Greeted.Quiet(CloseReason.TlsBadInnerProtocol);
        client.Transport = transport;
        client.DcId = dc;
        handshake.KeepEarly(rest);
        return Accept(handshake);
    }

    private static Greeted Accept(HandshakeState handshake)
    {
        var session = handshake.Session;
        session.Loop.Metrics.ProtocolOk(session.Listener.Settings.Name, handshake.Client.IsTls, handshake.Client.Transport);
        return Greeted.Ok();
    }
}

/// <summary>The outcome of step 4.</summary>
internal readonly record struct Greeted
{
    private enum Kind : byte
    {
        Incomplete,
        Ok,
        Gone,
        Ended,
        Quiet,
    }

    private Kind Outcome { get; init; }

    /// <summary>Why it did not work out.</summary>
    public CloseReason Reason { get; private init; }

    /// <summary>No more bytes are needed.</summary>
    public bool IsComplete => Outcome != Kind.Incomplete;

    /// <summary>The connection is over.</summary>
    public bool IsGone => Outcome == Kind.Gone;

    /// <summary>The client said goodbye with an alert record, as TLS peers do: FIN, no byte.</summary>
    public bool HasEnded => Outcome == Kind.Ended;

    /// <summary>The client sent what no client of ours sends: read on, answer nothing.</summary>
    public bool MustStayQuiet => Outcome == Kind.Quiet;

    public static Greeted Ok() => new() { Outcome = Kind.Ok };

    public static Greeted Gone(CloseReason reason) => new() { Outcome = Kind.Gone, Reason = reason };

    public static Greeted Ended() => new() { Outcome = Kind.Ended, Reason = CloseReason.ClientClosed };

    public static Greeted Quiet(CloseReason reason) => new() { Outcome = Kind.Quiet, Reason = reason };
}
