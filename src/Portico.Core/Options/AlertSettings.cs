namespace Portico.Core.Options;

/// <summary>Who is told when something is wrong.</summary>
public sealed record AlertSettings
{
    /// <summary>Where alerts are posted; null = nowhere.</summary>
    public WebhookAddress? Webhook { get; init; }
}

/// <summary>Where alerts are posted. Its path and query may hold a token: it prints as its host alone.</summary>
public sealed class WebhookAddress : IEquatable<WebhookAddress>
{
    private readonly Uri _url;

    private WebhookAddress(Uri url) => _url = url;

    /// <summary>The whole address, for whoever posts there.</summary>
    public Uri Reveal() => _url;

    /// <summary>Of a text that is an address of http or https without a user; null = it is none.</summary>
    public static WebhookAddress? Of(string text)
    {
        if (text.Length > MostLength || !Uri.TryCreate(text, UriKind.Absolute, out var url)) return null;
        return url.Scheme is "http" or "https" && url.UserInfo.Length == 0 && url.Host.Length > 0 ? new(url) : null;
    }

    /// <inheritdoc/>
    public bool Equals(WebhookAddress? other) => other is not null && _url.AbsoluteUri == other._url.AbsoluteUri;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as WebhookAddress);

    /// <inheritdoc/>
    public override int GetHashCode() => _url.AbsoluteUri.GetHashCode(StringComparison.Ordinal);

    /// <summary>Scheme, host and port.</summary>
    public override string ToString() => $"{_url.GetLeftPart(UriPartial.Authority)}/[secret]";

    // More than any service gives out.
    private const int MostLength = 2048;
}
