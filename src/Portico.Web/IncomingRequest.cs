using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using Portico.Protocol.WebProxy;

namespace Portico.Web;

/// <summary>Requests between the web server's form and the router's.</summary>
internal static class IncomingRequest
{
    /// <summary>A request as it came, nothing decoded.</summary>
    public static WebRequestHead Of(HttpContext context)
    {
        var raw = context.Features.GetRequiredFeature<IHttpRequestFeature>();
        var headers = new List<KeyValuePair<string, string>>(raw.Headers.Count);
        foreach (var (name, values) in raw.Headers)
        {
            if (name.Equals(HeaderNames.Host, StringComparison.OrdinalIgnoreCase)) continue;
            foreach (var value in values) headers.Add(new(name, value ?? ""));
        }

        return new WebRequestHead(raw.Method, raw.RawTarget, Texts(raw.Headers.Host), headers);
    }

    /// <summary>Puts another request into the place of one, without a body.</summary>
    /// <returns>The other one.</returns>
    public static WebRequestHead Replace(HttpContext context, in WebRequestHead other)
    {
        var raw = context.Features.GetRequiredFeature<IHttpRequestFeature>();
        raw.RawTarget = other.Target;
        raw.Headers.Clear();
        foreach (var host in other.Hosts) raw.Headers.Append(HeaderNames.Host, host);
        foreach (var (name, value) in other.Headers) raw.Headers.Append(name, value);
        raw.Headers.Remove(HeaderNames.ContentLength);
        raw.Headers.Remove(HeaderNames.TransferEncoding);
        context.Features.Set<IHttpRequestBodyDetectionFeature>(NoBody.Instance);
        return other;
    }

    private static string[] Texts(StringValues values)
    {
        var texts = new string[values.Count];
        for (var i = 0; i < texts.Length; i++) texts[i] = values[i] ?? "";
        return texts;
    }

    private sealed class NoBody : IHttpRequestBodyDetectionFeature
    {
        public static readonly NoBody Instance = new();

        public bool CanHaveBody => false;
    }
}
