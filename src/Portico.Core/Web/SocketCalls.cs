using System.Buffers;

namespace Portico.Core.Web;

/// <summary>A WebSocket that others read and write, on threads of their own: they call, and wait for the answer.</summary>
internal sealed class SocketCalls : ISocketPort
{
    private LoopCall<WebBatch?>? _waiting;
    private LoopCall<bool>? _begun;
    private (LoopCall<bool> Call, ReadOnlySequence<byte> Message)? _held;

    /// <param name="carrier">Its carrier.</param>
    public SocketCalls(SocketCarrier carrier)
    {
        Carrier = carrier;
        carrier.Port = this;
    }

    public SocketCarrier Carrier { get; }

    /// <summary>A long message has begun.</summary>
    /// <param name="call">Answered when the rest of it may be read; false = the socket is to be closed.</param>
    public void BeginMessage(LoopCall<bool> call)
    {
        _begun = null;
        if (Carrier.IsOver) call.TrySetResult(false);
        else if (Carrier.TryBeginMessage()) call.TrySetResult(true);
        else _begun = call;
    }

    /// <summary>A message. The next may be read when this is answered: false = the socket is to be closed.</summary>
    /// <param name="call">To be answered.</param>
    /// <param name="message">Valid until then.</param>
    public void Receive(LoopCall<bool> call, in ReadOnlySequence<byte> message)
    {
        _held = null;
        if (Carrier.TryAccept(message) is { } isGood) call.TrySetResult(isGood);
        else _held = (call, message);
    }

    /// <summary>What is to be sent next, when there is something. One caller at a time, who has sent the last one.</summary>
    /// <param name="call">To be answered: a batch, to be released when it was sent, or null when there will be none any more.</param>
    public void Next(LoopCall<WebBatch?> call)
    {
        _waiting = call;
        Carrier.Want();
        Carrier.NoteSent();
        OnReady();
    }

    public void OnReady()
    {
        if (_waiting is not { } waiting) return;
        var batch = Carrier.Take();
        if (batch is null && !Carrier.IsDone) return;
        _waiting = null;
        if (!waiting.TrySetResult(batch)) batch?.Release();
    }

    public void OnRoom()
    {
        if (_begun is { } begun) BeginMessage(begun);
        if (_held is { } held) Receive(held.Call, held.Message);
    }

    public void OnOver()
    {
        _waiting?.TrySetResult(null);
        _waiting = null;
        _begun?.TrySetResult(false);
        _begun = null;
        _held?.Call.TrySetResult(false);
        _held = null;
    }
}
