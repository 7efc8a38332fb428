using System.Collections.Immutable;
using System.Net;

namespace Portico.Admin.Access;

/// <summary>
/// By which names a request without the token may call us. A page in somebody's browser can have a name of its own lead to this machine;
/// it cannot have the browser say another name.
/// </summary>
internal static class HostNames
{
    /// <summary>Whether a name is this machine's own, or one of those that the operator added.</summary>
    /// <param name="host">Without the port; empty = the request named none.</param>
    /// <param name="added">By the operator.</param>
    public static bool IsOurs(string host, ImmutableArray<string> added)
    {
        if (host.Equals("localhost", StringComparison.OrdinalIgnoreCase)) return true;
        if (added.Contains(host, StringComparer.OrdinalIgnoreCase)) return true;
        return IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address)
            && (host.StartsWith('[') || address.ToString() == host); // "127.1" is what the framework takes for an address
    }
}
