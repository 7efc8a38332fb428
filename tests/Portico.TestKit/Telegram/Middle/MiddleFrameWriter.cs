using System.Buffers.Binary;
using System.Net.Sockets;
using Portico.Protocol.MiddleProxy;
using Portico.TestKit.Framing;
using Portico.TestKit.Wires;

namespace Portico.TestKit.Telegram.Middle;

/// <summary>What a middle proxy puts on the wire: right frames, and wrong ones. Any task may write; each write is whole.</summary>
internal sealed class MiddleFrameWriter(Wire wire, MiddleBehaviour behaviour) : IDisposable
{
    private const int GarbageLength = 64;

    private readonly SemaphoreSlim _turn = new(1);
    private readonly ByteSink _out = new();
    private MiddleProxyCipher _cipher;
    private bool _isEncrypted;
    private int _sequence = FullFrame.FirstSequence;

    /// <summary>Whether nothing will be written any more: after FIN, or after a fault.</summary>
    internal bool IsFinished { get; private set; }

    /// <summary>Everything from here on is encrypted.</summary>
    internal void TurnEncryptionOn(MiddleProxyCipher cipher)
    {
        _cipher = cipher;
        _isEncrypted = true;
    }

    /// <summary>One frame each, in one write. Does nothing after the end.</summary>
    internal async Task SendAsync(IReadOnlyCollection<byte[]> payloads)
    {
        using var turn = await TakeTurnAsync();
        if (IsFinished || payloads.Count == 0)
            return;
        foreach (var payload in payloads)
        {
            AppendFrame(payload);
            if (behaviour.PadsEveryFrame)
                Pad(0);
        }
        Pad(behaviour.SurplusPadding);
        await FlushAsync(int.MaxValue);
    }

    /// <summary>Ends what this side has to say. A frame that is being written is written first.</summary>
    /// <param name="end">FIN or RST; RST does not wait.</param>
    internal async Task EndAsync(PeerEnd end)
    {
        if (end == PeerEnd.Reset)
        {
            IsFinished = true;
            wire.Reset();
            return;
        }
        using var turn = await TakeTurnAsync();
        if (!IsFinished)
            Finish();
        IsFinished = true;
    }

    /// <summary>Says the wrong thing and nothing more.</summary>
    /// <param name="fault">What.</param>
    /// <param name="due">The payload that an honest server would send now.</param>
    internal async Task FailAsync(MiddleFault fault, byte[] due)
    {
        using (await TakeTurnAsync())
        {
            if (IsFinished)
                return;
            IsFinished = true;
            AppendFrame(fault switch
            {
                MiddleFault.UnknownConstructor => MiddlePayload.Unknown,
                MiddleFault.EmptyPayload => [],
                _ => due,
            });
            var half = Damage(fault);
            if (fault is not (MiddleFault.Silence or MiddleFault.Fin or MiddleFault.Reset))
                await FlushAsync(half);
            _out.Clear();
            if (fault is MiddleFault.Fin or MiddleFault.HalfFrameThenFin)
                Finish();
        }
        if (fault is MiddleFault.Reset or MiddleFault.HalfFrameThenReset)
            wire.Reset();
    }

    public void Dispose() => _turn.Dispose();

    // Damages the frame that stands ready; returns how much of it is to be sent.
    private int Damage(MiddleFault fault)
    {
        var frame = _out.Content;
        var half = frame.Length / 2;
        switch (fault)
        {
            case MiddleFault.WrongChecksum:
                frame[^1] ^= 1;
                break;
            case MiddleFault.WrongSequence:
                FullFrame.Seal(frame, _sequence);
                break;
            case MiddleFault.UnalignedLength:
                BinaryPrimitives.WriteUInt32LittleEndian(frame, 17);
                break;
            case MiddleFault.ShortLength:
                BinaryPrimitives.WriteUInt32LittleEndian(frame, 8);
                break;
            case MiddleFault.LongLength:
                BinaryPrimitives.WriteUInt32LittleEndian(frame, FullFrame.MaxLength + 4);
                break;
            case MiddleFault.HugeLength:
                BinaryPrimitives.WriteUInt32LittleEndian(frame, 0xfffffffc);
                break;
            case MiddleFault.Garbage:
                _out.Clear();
                _out.AppendRandom(GarbageLength);
                _isEncrypted = false;
                return int.MaxValue;
        }
        Pad(0);
        return fault is MiddleFault.HalfFrame or MiddleFault.HalfFrameThenFin or MiddleFault.HalfFrameThenReset ? half : int.MaxValue;
    }

    private void AppendFrame(ReadOnlySpan<byte> payload) =>
        FullFrame.Write(_out.Extend(FullFrame.HeaderLength + payload.Length + FullFrame.TrailerLength), _sequence++, payload);

    // What follows the nonce is not encrypted yet, and most servers then do not pad.
    private void Pad(int surplus)
    {
        if (_isEncrypted || behaviour.PadsNonce)
            FullFrame.WritePadding(_out.Extend(FullFrame.PaddingLength(_out.Length) + surplus));
    }

    private async Task FlushAsync(int length)
    {
        if (_isEncrypted)
            _cipher.Encrypt(_out.Content);
        await wire.SendAsync(_out.Memory[..Math.Min(length, _out.Length)], behaviour.Piece);
        _out.Clear();
    }

    private void Finish()
    {
        try
        {
            wire.FinishSending();
        }
        catch (SocketException)
        {
            // the proxy has reset the link already; who reads says so
        }
    }

    private async Task<Turn> TakeTurnAsync()
    {
        await _turn.WaitAsync();
        return new Turn(_turn);
    }

    private readonly struct Turn(SemaphoreSlim turn) : IDisposable
    {
        public void Dispose() => turn.Release();
    }
}
