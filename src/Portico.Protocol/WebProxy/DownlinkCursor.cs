namespace Portico.Protocol.WebProxy;

/// <summary>What to do with a request that asks for frames.</summary>
public enum DownlinkVerdict : byte
{
    /// <summary>
    /// It has everything so far: the batch that was kept for repetition can go. Answer with what waits and say
    /// <see cref="DownlinkCursor.Send"/>, or keep the request until something does.
    /// </summary>
    Next,

    /// <summary>The last answer was lost: the same bytes again.</summary>
    Repeat,

    /// <summary>A cursor that cannot be: the session ends.</summary>
    End,
}

/// <summary>
/// The place in what one session or one lane sends down, counted in batches. A client acknowledges a batch by asking on from behind it;
/// one may be unacknowledged. A mutable value: never copy one that is in use.
/// </summary>
public struct DownlinkCursor
{
    private bool _isUnacknowledged;

    /// <summary>How many batches were sent: what an answer without frames carries.</summary>
    public ulong Value { get; private set; }

    /// <summary>Judges a request.</summary>
    /// <param name="cursor">Up to where the client has everything.</param>
    public DownlinkVerdict Ask(ulong cursor)
    {
        if (cursor == Value)
        {
            _isUnacknowledged = false;
            return DownlinkVerdict.Next;
        }

        return _isUnacknowledged && cursor == Value - 1 ? DownlinkVerdict.Repeat : DownlinkVerdict.End;
    }

    /// <summary>A batch goes out as the answer to <see cref="DownlinkVerdict.Next"/>, and is kept for repetition.</summary>
    /// <returns>The cursor that the answer carries.</returns>
    /// <exception cref="InvalidOperationException">The one before is not acknowledged.</exception>
    public ulong Send()
    {
        if (_isUnacknowledged)
            throw new InvalidOperationException("the batch before is not acknowledged");
        _isUnacknowledged = true;
        return ++Value;
    }
}
