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
    // More than any service gives out.
    private const int MostLength = 2048;

    private readonly string _secretUrl, _shown;

    private WebhookAddress(Uri url) => (_secretUrl, _shown) = (url.AbsoluteUri, $"{url.GetLeftPart(UriPartial.Authority)}/[secret]");

    /// <summary>The whole address, for whoever posts there.</summary>
    public Uri Reveal() => new(_secretUrl);

    /// <summary>Of a text that is an address of http or https without a user; null = it is none.</summary>
    public static WebhookAddress? Of(string text)
    {
        if (text.Length > MostLength || !Uri.TryCreate(text, UriKind.Absolute, out var url))
            return null;
        return url.Scheme is "http" or "https" && url.UserInfo.Length == 0 && url.Host.Length > 0 ? new(url) : null;
    }

    /// <inheritdoc/>
    public bool Equals(WebhookAddress? other) => other is not null && _secretUrl == other._secretUrl;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as WebhookAddress);

    /// <inheritdoc/>
    public override int GetHashCode() => _secretUrl.GetHashCode(StringComparison.Ordinal);

    /// <summary>Scheme, host and port.</summary>
    public override string ToString() => _shown;
}
