namespace Portico.Protocol.WebProxy;

/// <summary>What a token is good for.</summary>
public enum WebTokenKind : byte
{
    /// <summary>To create one session: stands in the bridge page.</summary>
    Bootstrap = 1,

    /// <summary>To be a session.</summary>
    Session = 2,
}

/// <summary>A token that we signed. Whether it is still good for anything is the business of a table that has it as its key.</summary>
/// <param name="Kind">What it was made for.</param>
/// <param name="Number">Its 16 random bytes. Nobody can make a token of them without the key, so they may be kept and compared.</param>
public readonly record struct WebToken(WebTokenKind Kind, UInt128 Number)
{
    /// <summary>Not the number: a line in a log would tell who comes again.</summary>
    public override string ToString() => $"[{Kind} token]";
}
