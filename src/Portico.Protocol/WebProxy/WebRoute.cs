namespace Portico.Protocol.WebProxy;

/// <summary>Who answers a request.</summary>
public enum WebRouteKind : byte
{
    /// <summary>The public site, which gets it untouched.</summary>
    Public,

    /// <summary>
    /// The public site too, but a credential of ours is somewhere in the request: it goes on without its body, and as
    /// <see cref="WebRouter.Scrub"/> leaves it.
    /// </summary>
    Scrub,

    /// <summary>The bridge page.</summary>
    Bridge,

    /// <summary>A carrier. From here on what fails is answered by us.</summary>
    Transport,
}

/// <summary>What a request to a carrier is for.</summary>
public enum WebEndpoint : byte
{
    /// <summary>POST api/v1/session, with a bootstrap token.</summary>
    CreateSession,

    /// <summary>DELETE api/v1/session.</summary>
    DeleteSession,

    /// <summary>POST api/v1/up.</summary>
    Up,

    /// <summary>POST api/v1/down.</summary>
    Down,

    /// <summary>A WebSocket at api/v1/ws.</summary>
    Socket,
}

/// <summary>Where a request goes.</summary>
/// <param name="Kind">Who answers it.</param>
/// <param name="CapabilityIndex">With Bridge: whose capability it shows, an index into the entries of the table.</param>
/// <param name="Endpoint">With Transport: what for.</param>
/// <param name="Token">With Transport: the token, of the kind that this endpoint takes.</param>
/// <param name="Lane">With Socket: the stream that it is for alone; 0 = for all.</param>
public readonly record struct WebRoute(
    WebRouteKind Kind, int CapabilityIndex = 0, WebEndpoint Endpoint = default, WebToken Token = default, uint Lane = 0);
