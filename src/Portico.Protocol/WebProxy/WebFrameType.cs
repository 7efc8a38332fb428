namespace Portico.Protocol.WebProxy;

/// <summary>What a frame says. Stream 0 is the session itself.</summary>
public enum WebFrameType : byte
{
    /// <summary>App: a new stream, with an empty payload. There is no answer; DATA may follow at once.</summary>
    Open = 0x01,

    /// <summary>Both: 1 to 1048576 bytes of a stream.</summary>
    Data = 0x02,

    /// <summary>Both: the stream is gone in both directions, what waits of it is dropped. Empty payload.</summary>
    Close = 0x03,

    /// <summary>Both: how many more bytes the other side may send on a stream. Four bytes, not 0.</summary>
    Window = 0x04,

    /// <summary>Relay, on stream 0: asks for the same 0 to 64 bytes back.</summary>
    Ping = 0x05,

    /// <summary>App, on stream 0: the bytes of a PING.</summary>
    Pong = 0x06,

    /// <summary>App, on stream 0: the first frame, whose one byte is the version, 1.</summary>
    Hello = 0x10,

    /// <summary>Relay, on stream 0: the answer to HELLO. Empty payload.</summary>
    Welcome = 0x11,

    /// <summary>Reserved; nobody may send it.</summary>
    AuthChal = 0x12,

    /// <summary>Reserved; nobody may send it.</summary>
    AuthResp = 0x13,

    /// <summary>Relay, on stream 0: the session ends. Any payload.</summary>
    Bye = 0x1f,
}
