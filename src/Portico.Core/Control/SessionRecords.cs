using System.Collections.Immutable;

namespace Portico.Core.Control;

/// <summary>One connection at one moment.</summary>
/// <param name="Id">The same as long as it lives; made of digits, letters and dashes, and of no meaning to others.</param>
/// <param name="Listener">Where it came in.</param>
/// <param name="State">handshake, relaying or cover.</param>
/// <param name="User">Whose secret it proved; null = nobody's, or not yet.</param>
/// <param name="Protocol">abridged, intermediate, secure or fake_tls; null = it has not said.</param>
/// <param name="Dc">Signed id of the data centre that it asked for; null = it has not said.</param>
/// <param name="Since">When it was accepted, to the second.</param>
/// <param name="Address">Of the client, by the PROXY header if there was one; null = it is gone.</param>
/// <param name="ReceivedBytes">Bytes from the client.</param>
/// <param name="SentBytes">Bytes to it.</param>
public sealed record SessionStatus(
    string Id, string Listener, string State, string? User, string? Protocol, int? Dc, DateTimeOffset Since, string? Address,
    long ReceivedBytes, long SentBytes);

/// <summary>Some of the connections that are open. A session that begins while pages are read may be missing from them.</summary>
/// <param name="Sessions">Of this page.</param>
/// <param name="Next">Where the next page begins; null = this is the last.</param>
public sealed record SessionPage(ImmutableArray<SessionStatus> Sessions, string? Next);
