namespace Portico.Protocol.Framing;

/// <summary>Where one packet lies in the bytes that were shown to a codec. All numbers are bytes.</summary>
/// <param name="PayloadOffset">Where the MTProto message begins.</param>
/// <param name="PayloadLength">Its length; what a receiver cannot tell from padding is part of it (spec/01 section 3.3).</param>
/// <param name="Consumed">
/// Header, payload and padding together. With <see cref="FrameStatus.NeedMoreData"/>:
/// how many bytes there will be in all, 0 while the header does not yet say.
/// </param>
/// <param name="QuickAck">
/// From a client: it asks for a quick acknowledgement. From a server: this is one, the payload is its four bytes as sent.
/// </param>
public readonly record struct Frame(int PayloadOffset, int PayloadLength, int Consumed, bool QuickAck);
