using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Portico.Protocol.WebProxy;

/// <summary>
/// An app's view of one carrier: what it takes from a relay. One wrong frame, and it throws the whole carrier away with all streams of
/// all accounts. Belongs to one thread at a time.
/// </summary>
public sealed class AppStreams
{
    private readonly Dictionary<uint, StreamWindows> _open = [];
    private readonly ClosedStreams _closed = new();
    private bool _isWelcome;

    /// <summary>Whether a stream is open: what comes for another is to be dropped.</summary>
    public bool IsOpen(uint stream) => _open.ContainsKey(stream);

    /// <summary>The app has sent OPEN.</summary>
    /// <param name="stream">Never used before on this carrier.</param>
    public void Open(uint stream) => _open[stream] = StreamWindows.AtOpen;

    /// <summary>The app has sent CLOSE.</summary>
    public void Close(uint stream)
    {
        _open.Remove(stream);
        _closed.Add(stream);
    }

    /// <summary>The app has read bytes of a stream and sent WINDOW for them.</summary>
    /// <param name="stream">Which.</param>
    /// <param name="credit">Bytes.</param>
    /// <returns>False if the stream is closed: nothing may be written for it.</returns>
    public bool TryGiveCredit(uint stream, uint credit)
    {
        ref var windows = ref CollectionsMarshal.GetValueRefOrNullRef(_open, stream);
        if (Unsafe.IsNullRef(ref windows))
            return false;
        windows.Receive = StreamWindows.Sum(windows.Receive, credit);
        return true;
    }

    /// <summary>How many of the bytes that wait the app may send now; they count as sent.</summary>
    /// <param name="stream">Which.</param>
    /// <param name="waiting">Bytes, at least 0.</param>
    /// <returns>Bytes for DATA frames; 0 if the stream is closed or has to wait for credit.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A negative number.</exception>
    public int Spend(uint stream, int waiting)
    {
        ref var windows = ref CollectionsMarshal.GetValueRefOrNullRef(_open, stream);
        return Unsafe.IsNullRef(ref windows) ? 0 : windows.Spend(waiting);
    }

    /// <summary>Takes one frame of the relay's.</summary>
    /// <param name="header">What stands in front.</param>
    /// <param name="payload">As many bytes as the header says.</param>
    /// <returns>Anything but None: the carrier is to be thrown away. Late frames of closed streams are no error.</returns>
    public WebProxyError Accept(WebFrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (!_isWelcome && header is not { Type: WebFrameType.Welcome, Stream: 0 })
            return WebProxyError.BeforeWelcome;
        return header.Stream == 0 ? AcceptOfSession(header.Type, payload) : AcceptOfStream(header, payload);
    }

    private WebProxyError AcceptOfSession(WebFrameType type, ReadOnlySpan<byte> payload)
    {
        switch (type)
        {
            case WebFrameType.Welcome:
                if (_isWelcome || !payload.IsEmpty)
                    return WebProxyError.BadWelcome;
                _isWelcome = true;
                return WebProxyError.None;
            case WebFrameType.Ping:
                return payload.Length > WebFrame.MaxEcho ? WebProxyError.BadPayload : WebProxyError.None;
            default:
                return type == WebFrameType.Bye ? WebProxyError.Bye : WebProxyError.BadDirection;
        }
    }

    private WebProxyError AcceptOfStream(WebFrameHeader header, ReadOnlySpan<byte> payload)
    {
        var credit = payload.Length == sizeof(uint) ? BinaryPrimitives.ReadUInt32BigEndian(payload) : 0;
        switch (header.Type)
        {
            case WebFrameType.Data when payload.IsEmpty:
            case WebFrameType.Window when credit == 0:
            case WebFrameType.Close when !payload.IsEmpty:
                return WebProxyError.BadPayload;
            case not (WebFrameType.Data or WebFrameType.Window or WebFrameType.Close):
                return WebProxyError.BadDirection;
        }

        ref var windows = ref CollectionsMarshal.GetValueRefOrNullRef(_open, header.Stream);
        if (Unsafe.IsNullRef(ref windows))
            return _closed.Contains(header.Stream) ? WebProxyError.None : WebProxyError.UnknownStream;

        switch (header.Type)
        {
            case WebFrameType.Data when (uint)payload.Length > windows.Receive:
                return WebProxyError.WindowOverrun;
            case WebFrameType.Data:
                windows.Receive -= (uint)payload.Length;
                break;
            case WebFrameType.Window:
                windows.Send = StreamWindows.Sum(windows.Send, credit);
                break;
            default:
                Close(header.Stream);
                break;
        }

        return WebProxyError.None;
    }
}
