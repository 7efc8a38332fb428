namespace Portico.Protocol.WebProxy;

/// <summary>What a request says before its body, as it came: nothing decoded, nothing joined.</summary>
/// <param name="Method">The method; CONNECT for a WebSocket over HTTP/2 (RFC 8441).</param>
/// <param name="Target">The raw target: path and query, escapes as they are.</param>
/// <param name="Hosts">All values of Host, or :authority.</param>
/// <param name="Headers">All others, a pair for each line.</param>
public readonly record struct WebRequestHead(
    string Method, string Target, IReadOnlyList<string> Hosts, IReadOnlyList<KeyValuePair<string, string>> Headers)
{
    /// <summary>Nothing of it: the target may show a capability, and a header a token.</summary>
    public override string ToString() => "[request]";
}
