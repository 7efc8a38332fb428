using Portico.Protocol.MiddleProxy;
using Portico.Protocol.Secrets;

namespace Portico.Core.Users;

/// <summary>One secret and the name of who holds it.</summary>
/// <param name="Name">Of the user; <c>default</c> for the listener's own secret.</param>
/// <param name="Secret">What the client must know.</param>
/// <param name="AdTag">Whose channel Telegram shows to the client: the user's own, else the listener's, else none.</param>
/// <param name="Domain">Of its own: only a hello for this host name (any case) can be the user's; null = a hello for any name.</param>
/// <param name="Until">The user's former secret, which is good until then; null = the one that links show.</param>
public sealed record Credential(
    string Name, ProxySecret Secret, AdTag? AdTag = null, string? Domain = null, DateTimeOffset? Until = null);
