namespace Portico.Core.Options;

/// <summary>Reads the section <c>alerts</c>. No error quotes the address: it may hold a token.</summary>
internal static class AlertOptionsParser
{
    private const string Key = "alerts.webhook", Example = "for example \"webhook\": \"https://hooks.example.org/portico\"";

    /// <summary>Where alerts are posted; null = nowhere, or what is written is wrong.</summary>
    public static WebhookAddress? Webhook(AlertOptions alerts, ICollection<ConfigurationError> errors)
    {
        if (alerts.Webhook is not { } text) return null;
        if (WebhookAddress.Of(text) is { } address) return address;
        errors.Add(Uri.TryCreate(text, UriKind.Absolute, out var url) && url.UserInfo.Length > 0
            ? new(Key, $"names a user before its host, which nobody is sent; put what the receiver asks for into path or query, {Example}")
            : new(Key, $"is no address of http or https; {Example}, or null for no alerts"));
        return null;
    }
}
