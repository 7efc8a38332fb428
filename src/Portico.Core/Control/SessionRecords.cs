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

/// <summary>One user at one moment.</summary>
/// <param name="Name">As configured; default = the listener's own secret.</param>
/// <param name="Listener">Whose user it is.</param>
/// <param name="Connections">Sessions that relay.</param>
/// <param name="Networks">Different networks that they come from: IPv4 addresses, and the 64 leading bits of IPv6 addresses.</param>
/// <param name="ReceivedBytes">Bytes from its clients since the start.</param>
/// <param name="SentBytes">Bytes to them since the start.</param>
/// <param name="LastSeen">Now while it has a session, else when the last one ended; null = there was none since the start.</param>
public sealed record UserStatus(
    string Name, string Listener, int Connections, int Networks, long ReceivedBytes, long SentBytes, DateTimeOffset? LastSeen);

/// <summary>Some of the users.</summary>
/// <param name="Users">Of this page, in the order of the configuration.</param>
/// <param name="Next">Where the next page begins; null = this is the last.</param>
public sealed record UserPage(ImmutableArray<UserStatus> Users, string? Next);
