using Portico.Core.Users;

namespace Portico.Core.Web;

/// <summary>Whose capability a session was opened with: inside its streams only this secret counts, in this form.</summary>
/// <param name="Credential">The user's.</param>
/// <param name="IsSecure">The link had the dd form, so streams must be padded.</param>
/// <param name="HostName">The site, in ASCII.</param>
/// <param name="Rates">What the user may begin, over all loops.</param>
internal sealed record WebUser(Credential Credential, bool IsSecure, ReadOnlyMemory<byte> HostName, WebRates Rates);
