using System.Buffers;
using System.Runtime.InteropServices;

namespace Portico.Protocol.WebProxy;

/// <summary>What a frame of an app means for its stream.</summary>
public enum RelayEventKind : byte
{
    /// <summary>A new stream.</summary>
    Opened,

    /// <summary>A stream beyond the limit: CLOSE is due for it, and it counts as closed already.</summary>
    Rejected,

    /// <summary>Bytes for Telegram.</summary>
    Data,

    /// <summary>More may be sent to the app.</summary>
    Credit,

    /// <summary>The app gave the stream up: nothing more may be sent for it.</summary>
    Closed,

    /// <summary>A late frame of a stream that was closed: nothing to do.</summary>
    Ignored,

    /// <summary>An answer to PING.</summary>
    Pong,
}

/// <summary>One frame of a batch that was accepted.</summary>
/// <param name="kind">What it means.</param>
/// <param name="stream">0 with Pong.</param>
/// <param name="payload">Of the frame.</param>
/// <param name="sendWindow">With Credit.</param>
public readonly struct RelayEvent(RelayEventKind kind, uint stream, ReadOnlySequence<byte> payload, uint sendWindow)
{
    /// <summary>What it means.</summary>
    public RelayEventKind Kind => kind;

    /// <summary>Which stream; 0 with Pong.</summary>
    public uint Stream => stream;

    /// <summary>With Data and Pong: the bytes, a slice of the batch and valid as long as that is.</summary>
    public ReadOnlySequence<byte> Payload => payload;

    /// <summary>With Credit: how many bytes may now be sent to the app on this stream.</summary>
    public uint SendWindow => sendWindow;
}

/// <summary>
/// What one batch came to. Kept by whoever works on one batch at a time, for the sake of its memory, and used for one after the other.
/// </summary>
public sealed class RelayBatch
{
    private readonly List<RelayEvent> _events = [];

    /// <summary>One for each frame, in their order; empty after a batch that was refused.</summary>
    public ReadOnlySpan<RelayEvent> Events => CollectionsMarshal.AsSpan(_events);

    /// <summary>What has to be taken back if a later frame is wrong.</summary>
    internal List<Change> Changes { get; } = [];

    /// <summary>Lets go of the batch's bytes.</summary>
    public void Clear()
    {
        _events.Clear();
        Changes.Clear();
    }

    internal void Add(RelayEventKind kind, in WebFrame frame, uint sendWindow = 0) =>
        _events.Add(new RelayEvent(kind, frame.Stream, frame.Payload, sendWindow));

    /// <summary>One stream before a frame.</summary>
    /// <param name="Stream">Which.</param>
    /// <param name="Before">Null if it was not open.</param>
    /// <param name="IsBuried">Whether the frame closed it.</param>
    /// <param name="Forgotten">The closed stream that was forgotten for it; 0 if none.</param>
    internal readonly record struct Change(uint Stream, StreamWindows? Before, bool IsBuried = false, uint Forgotten = 0);
}
