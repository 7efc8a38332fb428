using System.Security.Cryptography;
using Portico.Core.Clients;
using Portico.Core.Diagnostics;
using Portico.Core.Net;

namespace Portico.Core.Sessions;

/// <summary>
/// A client that will hear no more from us: what it still sends is read and thrown away until it closes, because closing a socket with
/// unread input makes the kernel send RST, which a TLS server does not do and which can overtake an alert.
/// </summary>
internal sealed class LingeringClose : IChannelOwner, ILoopTask
{
    // Long enough for a FIN to cross the world and back; a peer that keeps sending costs no more than these.
    private const int FinWaitMs = 5000, MostBytes = 1 << 20;

    private const int ReadsPerTurn = 4;

    private readonly ClientSession _session;
    private readonly CloseReason _reason;
    private readonly bool _isQuiet;
    private int _bytes;
    private bool _queued;

    private LingeringClose(ClientSession session, CloseReason reason, bool isQuiet)
    {
        _session = session;
        _reason = reason;
        _isQuiet = isQuiet;
    }

    /// <summary>Closes now, except where a limit of ours is over while bytes of the client's are unread: those are read away behind FIN.</summary>
    public static void End(ClientSession session, CloseReason reason)
    {
        var isUnread = session.Client.CanRead && reason is CloseReason.HandshakeTimeout or CloseReason.HeaderTimeout;
        if (isUnread && !session.EndsWithReset) Fin(session, reason);
        else session.Close(reason);
    }

    /// <summary>Sends FIN now, then waits for the client's for a short time.</summary>
    public static void Fin(ClientSession session, CloseReason reason)
    {
        session.Client.ShutdownWrite();
        new LingeringClose(session, reason, isQuiet: false).Begin(FinWaitMs);
    }

    /// <summary>Sends nothing, not even FIN, until the client closes or the idle limit with some jitter is over.</summary>
    public static void Quiet(ClientSession session, CloseReason reason)
    {
        session.CountProtocolError(reason);
        session.MustNotReset(); // spec/02 section 11
        var idle = (int)session.Loop.Timeouts.Idle.TotalMilliseconds;
        new LingeringClose(session, reason, isQuiet: true).Begin(idle + RandomNumberGenerator.GetInt32((idle / 4) + 1));
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
            if (status is IoStatus.Eof or IoStatus.Reset || (!_isQuiet && _bytes > MostBytes))
            {
                _session.Close(_reason);
                return;
            }
        }

        if (client.CanRead) Queue();
    }

    private void Begin(int limitMs)
    {
        var client = _session.Client;
        client.Owner = this;
        client.SetDeadline(client.Loop.NowMs + limitMs);
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
