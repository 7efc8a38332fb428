namespace Portico.Protocol;

/// <summary>What a resumable parser says of the bytes it was shown. Hostile bytes are <see cref="Invalid"/>, never an exception.</summary>
public enum FrameStatus : byte
{
    /// <summary>One whole item was read; its length is in the parser's out arguments.</summary>
    Ok,

    /// <summary>The bytes so far are a correct beginning. Call again with the same bytes and more behind them.</summary>
    NeedMoreData,

    /// <summary>No continuation can make these bytes correct; the parser's out argument says why.</summary>
    Invalid,
}
