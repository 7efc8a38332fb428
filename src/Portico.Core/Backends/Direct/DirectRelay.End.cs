using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Sessions;

namespace Portico.Core.Backends.Direct;

/// <summary>How it ends: one side after the other, by silence, or at once.</summary>
internal sealed partial class DirectRelay
{
    // After one side has finished, this long without a byte from the other is taken for its end.
    // A DC that owes a client no answer gets a moment all the same: a packet of an answer may have come before
    // the client's end was read. A short one: it costs a local port, of which each address of a DC has 28 000.
    private const int FarewellMs = 10_000, NothingDueMs = 10;

    // How often is looked how far the peers have got while anything is under way, and how long a DC may take none of it.
    private const int LookMs = 2500, DcSilentMs = 30_000;

    public void OnDeadline(Channel channel)
    {
        var now = Loop.NowMs;
        if (now >= _nextLookMs && !LookHowFarTheyAre(now)) return;
        var quiet = now - _lastByteMs;
        if (quiet >= _limits.IdleMs) Close(CloseReason.IdleTimeout);
        else if (IsEnding && quiet >= PatienceMs) Close(_firstEnd!.Value);
        else ArmDeadline();
    }

    public void OnShutdown(Channel channel)
    {
        if (_closed) return;
        Release();
        _session.Close(CloseReason.Shutdown);
    }

    public override void OnFault(Exception error)
    {
        if (!_closed) Release();
        _session.Fault(error);
    }

    // A DC that owes an answer is told that the client has finished.
    // One that owes none is not: after that FIN our port would be out of use for a minute.
    private void ClientEnded()
    {
        if (_closed) return;
        _isAsking &= Loop.NowMs - _lastByteMs < FarewellMs;
        if (NoteEnd(ref _up, CloseReason.ClientClosed) && _isAsking && !_up.IsPending)
            Dc.ShutdownWrite();
    }

    // It was asked for after all, and goes to a client that only finished sending.
    private void AnswerCameAfterTheEnd()
    {
        if (!_isAsking && !_up.IsPending) Dc.ShutdownWrite();
        _isAsking = true;
    }

    // The alert stands for a FIN that will come; what is still sent before it must be read, or closing would answer with RST.
    private void ClientSaidGoodbye()
    {
        _isGoodbye = true; // before the end, which may be the second one and close
        ClientEnded();
    }

    private void DcEnded()
    {
        if (NoteEnd(ref _down, CloseReason.DcClosed) && !_down.IsPending) Client.ShutdownWrite();
    }

    // Half-close: the other direction goes on until it ends too or the farewell is over. False when that was the second end.
    private bool NoteEnd(ref Pipe pipe, CloseReason reason)
    {
        _firstEnd ??= reason;
        pipe.HasEnded = true;
        if (_up.HasEnded && _down.HasEnded && !_down.IsPending)
        {
            Close(_firstEnd.Value);
            return false;
        }

        _lastByteMs = Loop.NowMs;
        ArmDeadline();
        return true;
    }

    // While the DC has more for the client, which its user's rate lets through in a moment, it is no end.
    private bool IsEnding => _firstEnd is not null && !_down.IsPending && !IsDownHeldBack;

    private long PatienceMs => _up.HasEnded && !_isAsking && !_up.IsPending ? NothingDueMs : FarewellMs;

    // What was sent last may be on its way to a peer that is gone, of which no event tells for a quarter of an hour.
    private void Watch(ref Pipe pipe)
    {
        var now = Loop.NowMs;
        pipe.Watch(now);
        if (_nextLookMs != long.MaxValue) return;
        _nextLookMs = now + Math.Min(LookMs, _limits.ClientWriteMs / 4);
        ArmDeadline();
    }

    // False when it ended the session.
    private bool LookHowFarTheyAre(long now)
    {
        Dc.KeepAlive();
        var dcSilent = _up.IsWatched ? _up.Look(now) : 0;
        var clientSilent = _down.IsWatched ? _down.Look(now) : 0;
        _nextLookMs = _up.IsWatched || _down.IsWatched ? now + Math.Min(LookMs, _limits.ClientWriteMs / 4) : long.MaxValue;
        if (dcSilent >= DcSilentMs) CloseDeadDc();
        else if (clientSilent >= _limits.ClientWriteMs) Close(CloseReason.ClientWriteTimeout);
        return !_closed;
    }

    private void CloseDeadDc()
    {
        Dc.Abort();
        Close(CloseReason.DcReset);
    }

    // The idle deadline is looked at when it comes due rather than moved with every message.
    private void ArmDeadline()
    {
        var due = _lastByteMs + (IsEnding ? PatienceMs : _limits.IdleMs);
        Client.SetDeadline(Math.Min(due, _nextLookMs));
    }

    // A record that no TLS 1.3 peer sends: Telegram hears no more of this client.
    private void RejectRecord()
    {
        if (_closed) return;
        var isBetweenRecords = !_down.IsPending;
        Release();
        LingeringClose.Reject(_session, CloseReason.TlsBadRecord, isBetweenRecords);
    }

    private void Close(CloseReason reason)
    {
        if (_closed) return;
        reason = _firstEnd ?? reason; // the first reason wins: a reset after FIN is only its echo
        Release();
        if (_isGoodbye || (reason.Side() == GuiltySide.Telegram && !_up.HasEnded))
            LingeringClose.Fin(_session, reason);
        else
            _session.Close(reason);
    }

    private void Release()
    {
        _closed = true;
        _dcCounters.Ports--;
        if (_up.IsPending || _down.HasEnded) Dc.Close();
        else Dc.Discard();
        _up.Drop();
        _down.Drop();
    }
}
