namespace Portico.Protocol.Secrets;

/// <summary>A secret as a client reads it from its text.</summary>
/// <param name="Kind">What the client is to speak.</param>
/// <param name="Secret">The 16 bytes; the same in all three kinds.</param>
/// <param name="Domain">The name a fake-TLS client puts into its hello; null for the other kinds.</param>
public sealed record ParsedSecret(SecretKind Kind, ProxySecret Secret, string? Domain);
