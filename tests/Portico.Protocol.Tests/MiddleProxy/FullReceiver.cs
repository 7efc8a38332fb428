using Portico.Protocol.MiddleProxy;
using Xunit;

namespace Portico.Protocol.Tests.MiddleProxy;

/// <summary>The receiving end of a link as both sides need it: decrypts whole blocks, takes frames off the front, keeps the rest.</summary>
internal sealed class FullReceiver
{
    private readonly bool _encrypted;
    private MiddleProxyCipher _cipher;
    private byte[] _undecrypted = [];
    private byte[] _plain = [];
    private int _sequence;

    /// <summary>For bytes in the clear.</summary>
    public FullReceiver(int sequence) => _sequence = sequence;

    /// <summary>For encrypted bytes.</summary>
    public FullReceiver(int sequence, MiddleProxyCipher cipher)
        : this(sequence) => (_encrypted, _cipher) = (true, cipher);

    public List<byte[]> Payloads { get; } = [];

    public MiddleProxyError Error { get; private set; }

    /// <summary>Whether something is left that is not a whole frame.</summary>
    public bool IsInsideFrame => _plain.Length > 0 || _undecrypted.Length > 0;

    public void Receive(ReadOnlySpan<byte> bytes)
    {
        _undecrypted = [.. _undecrypted, .. bytes];
        var ready = _undecrypted[..^(_encrypted ? _undecrypted.Length % MiddleProxyCipher.BlockLength : 0)];
        _undecrypted = _undecrypted[ready.Length..];
        if (_encrypted)
            _cipher.Decrypt(ready);
        _plain = [.. _plain, .. ready];

        while (Error == MiddleProxyError.None)
        {
            var plain = Segmentation.Embed(_plain).Span;
            var status = FullFrame.TryRead(plain, _sequence, checkCrc: true, out var frame, out var error);
            Assert.Equal(status == FrameStatus.Invalid, error != MiddleProxyError.None);
            Error = error;
            if (status == FrameStatus.Ok)
            {
                Payloads.Add(plain.Slice(frame.PayloadOffset, frame.PayloadLength).ToArray());
                _sequence++;
            }
            _plain = _plain[frame.Consumed..];
            if (status == FrameStatus.NeedMoreData)
                return;
        }
    }
}
