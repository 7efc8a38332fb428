using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Portico.Core.Web;
using Portico.Protocol.WebProxy;
using Portico.Web.Carriers;

namespace Portico.Web.Page;

/// <summary>
/// The page that an app opens unseen, whose script carries frames between the app and us. Made once for each gate; only the nonce and the
/// token are another's in each answer.
/// </summary>
internal sealed class BridgePage
{
    private const string Nonce = "{{nonce}}", Bootstrap = "{{bootstrap}}";

    private const int NonceLength = 18;

    // All that a page could ask for and ours does not.
    private const string Permissions =
        "accelerometer=(), ambient-light-sensor=(), attribution-reporting=(), autoplay=(), battery=(), bluetooth=(), browsing-topics=(), "
        + "camera=(), clipboard-read=(), clipboard-write=(), compute-pressure=(), display-capture=(), encrypted-media=(), fullscreen=(), "
        + "gamepad=(), geolocation=(), gyroscope=(), hid=(), identity-credentials-get=(), idle-detection=(), keyboard-map=(), "
        + "local-fonts=(), magnetometer=(), microphone=(), midi=(), otp-credentials=(), payment=(), picture-in-picture=(), "
        + "publickey-credentials-create=(), publickey-credentials-get=(), screen-wake-lock=(), serial=(), storage-access=(), sync-xhr=(), "
        + "usb=(), web-share=(), window-management=(), xr-spatial-tracking=()";

    private static readonly string Script = ReadScript();

    private readonly byte[] _start;
    private readonly byte[] _middle;
    private readonly byte[] _end;
    private readonly string _policyStart;
    private readonly string _policyEnd;

    /// <param name="gate">Whose it is.</param>
    public BridgePage(WebGate gate)
        : this(gate, Script)
    {
    }

    /// <exception cref="InvalidOperationException">The script has no place for a token, or several.</exception>
    internal BridgePage(WebGate gate, string script)
    {
        Gate = gate;
        var parts = Render(script, gate).Split([Nonce, Bootstrap], StringSplitOptions.None);
        if (parts.Length != 3)
            throw new InvalidOperationException("the bridge page has not one place for its token");
        (_start, _middle, _end) = (Encoding.UTF8.GetBytes(parts[0]), Encoding.UTF8.GetBytes(parts[1]), Encoding.UTF8.GetBytes(parts[2]));
        (_policyStart, _policyEnd) = PolicyOf(gate.Settings.Address.Host);
    }

    /// <summary>Whose it is.</summary>
    public WebGate Gate { get; }

    /// <summary>Shows it.</summary>
    /// <param name="context">The request.</param>
    /// <param name="user">Whose capability it has.</param>
    /// <returns>False if there have been too many: nothing was answered.</returns>
    public async Task<bool> TryAnswerAsync(HttpContext context, WebUser user)
    {
        if (Gate.Sessions.NewPage(user) is not { } token) return false;
        var nonce = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(NonceLength));
        var response = context.Response;
        var headers = response.Headers;
        headers.CacheControl = "no-store";
        headers["Referrer-Policy"] = "no-referrer";
        headers.XContentTypeOptions = "nosniff";
        headers["X-DNS-Prefetch-Control"] = "off";
        headers["Permissions-Policy"] = Permissions;
        headers.ContentSecurityPolicy = _policyStart + nonce + _policyEnd;
        response.ContentType = "text/html; charset=utf-8";
        response.ContentLength = _start.Length + nonce.Length + _middle.Length + token.Length + _end.Length;
        Write(response, _start, nonce, _middle, token, _end);
        await response.BodyWriter.FlushAsync().ConfigureAwait(false);
        return true;
    }

    /// <summary>The page without nonce and token, which have their places.</summary>
    /// <param name="script">Each of its places is a text literal, of which the value, as JSON, takes the place.</param>
    /// <param name="gate">Where values come from.</param>
    internal static string Render(string script, WebGate gate)
    {
        var settings = gate.Settings;
        var carriers = string.Join(',', settings.Carriers.Select(one => Quoted(one.Tag())));
        script = script
            .Replace("\"{{carrierMode}}\"", Quoted(CarrierMode.Of(settings).Tag()), StringComparison.Ordinal)
            .Replace("\"{{carriers}}\"", $"[{carriers}]", StringComparison.Ordinal)
            .Replace("\"{{base}}\"", Quoted(settings.Address.Base), StringComparison.Ordinal);
        return $"<!DOCTYPE html><html><head><meta charset=\"utf-8\"></head><body><script nonce=\"{Nonce}\">{script}</script></body></html>";
    }

    /// <summary>A text as JSON, and so that it can end no script: angle brackets are escaped.</summary>
    internal static string Quoted(string text) => $"\"{JsonEncodedText.Encode(text)}\"";

    private static void Write(HttpResponse response, byte[] start, string nonce, byte[] middle, string token, byte[] end)
    {
        var target = response.BodyWriter.GetSpan((int)response.ContentLength!.Value);
        var at = 0;
        Append(target, start, ref at);
        at += Encoding.ASCII.GetBytes(nonce, target[at..]);
        Append(target, middle, ref at);
        at += Encoding.ASCII.GetBytes(token, target[at..]);
        Append(target, end, ref at);
        response.BodyWriter.Advance(at);

        static void Append(Span<byte> target, byte[] bytes, ref int at)
        {
            bytes.CopyTo(target[at..]);
            at += bytes.Length;
        }
    }

    // The apps' browser fallback shows the page in a frame of a page of theirs, on a port that nobody knows before. Not every engine
    // lets 'self' stand for WebSockets too.
    private static (string Start, string End) PolicyOf(string host) => (
        "default-src 'none'; base-uri 'none'; child-src 'none'; "
        + $"connect-src 'self' wss://{host}; "
        + "font-src 'none'; form-action 'none'; frame-ancestors http://127.0.0.1:*; frame-src 'none'; img-src 'none'; manifest-src 'none'; "
        + "media-src 'none'; object-src 'none'; script-src 'nonce-",
        "'; style-src 'none'; worker-src 'none'; sandbox allow-same-origin allow-scripts");

    private static string ReadScript()
    {
        using var stream = typeof(BridgePage).Assembly.GetManifestResourceStream("bridge.js")!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
