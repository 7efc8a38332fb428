namespace Portico.Core.Options;

/// <summary>When a changed value counts.</summary>
public static class TakesEffect
{
    /// <summary>At once, for sessions that are there too.</summary>
    public const string Live = "live";

    /// <summary>For sessions that begin from now on.</summary>
    public const string NewSessions = "new sessions";

    /// <summary>At the next start.</summary>
    public const string Restart = "restart";

    /// <summary>Never: the proxy ignores the key.</summary>
    public const string Nothing = "nothing";
}
