using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Protocol.FakeTls;

namespace Portico.Core.Sessions;

/// <summary>
/// A client that will hear no more from us: what it still sends is read and thrown away until it closes, because closing a socket with
/// unread input makes the kernel send RST, which a TLS server does not do and which can overtake an alert.
/// </summary>
internal sealed class LingeringClose : IChannelOwner, ISessionHolder, ILoopTask
{
    // Long enough for a FIN to cross the world and back; a peer that keeps sending costs no more than these.
    private const int FinWaitMs = 5000, MostBytes = 1 << 20;

    private const int ReadsPerTurn = 4;

    private readonly Session _session;
    private readonly CloseReason _reason;
    private int _bytes;
    private bool _queued;

    private LingeringClose(Session session, CloseReason reason)
    {
        _session = session;
        _reason = reason;
    }

    public Session Session => _session;

    /// <summary>Ends a session whose steps do not lead to a relay.</summary>
    public static void End(Session session, StepResult result)
    {
        var isUnread = result.Manner == EndManner.CloseUnlessUnread && session.Client.CanRead && !session.EndsWithReset;
        if (result.Manner == EndManner.Alert)
            Reject(session, result.Reason, isBetweenRecords: true);
        else if (result.Manner == EndManner.Fin || isUnread)
            Fin(session, result.Reason);
        else
            session.Close(result.Reason);
    }

    /// <summary>
    /// The client sent what cannot be decrypted. A TLS server answers at once with one alert record and FIN
    /// (spec/02 "Changed"); the alert is encrypted, so random bytes serve for a peer that has no keys.
    /// </summary>
    /// <param name="session">Whose flight has been sent.</param>
    /// <param name="reason">What was wrong.</param>
    /// <param name="isBetweenRecords">False: the last record to the client was cut short, and an alert would become part of it.</param>
    public static void Reject(Session session, CloseReason reason, bool isBetweenRecords)
    {
        session.CountProtocolError(reason);
        session.MustNotReset();
        if (isBetweenRecords)
        {
            Span<byte> alert = stackalloc byte[TlsRecordWriter.HeaderLength + TlsAlert.EncryptedLength];
            TlsRecordWriter.WriteHeader(alert, TlsAlert.EncryptedLength);
            session.Context.Random.Fill(alert[TlsRecordWriter.HeaderLength..]);
            session.Client.Write(alert, out var written);
            session.CountSent(written);
        }

        Fin(session, reason);
    }

    /// <summary>Sends FIN now, then waits for the client's for a short time.</summary>
    public static void Fin(Session session, CloseReason reason)
    {
        session.Client.ShutdownWrite();
        new LingeringClose(session, reason).Begin();
    }

    public void OnReady(Channel channel) => Read();

    public void OnDeadline(Channel channel) => _session.Close(_reason);

    public void OnShutdown(Channel channel) => _session.Close(CloseReason.Shutdown);

    public void OnFault(Exception error) => _session.Fault(error);

    public void Run()
    {
        _queued = false;
        Read();
    }

    private void Read()
    {
        var client = _session.Client;
        using var scratch = client.Loop.Scratch.Borrow();
        for (var reads = 0; reads < ReadsPerTurn && client.CanRead; reads++)
        {
            var status = client.Read(scratch.Bytes, out var count);
            _session.CountReceived(count);
            _bytes += count;
            if (status is IoStatus.Eof or IoStatus.Reset || _bytes > MostBytes)
            {
                _session.Close(_reason);
                return;
            }
        }

        if (client.CanRead) Queue();
    }

    private void Begin()
    {
        var client = _session.Client;
        client.Owner = this;
        client.SetDeadline(client.Loop.NowMs + FinWaitMs);
        Queue(); // not Read: whoever gave the client up may have the scratch area on loan
    }

    // Once at a time: each event of a client that never stops sending would add a turn of its own, for good.
    private void Queue()
    {
        if (_queued) return;
        _queued = true;
        _session.Client.Loop.Enqueue(this);
    }
}
