namespace Portico.Core.Options;

/// <summary>One thing that is wrong, or unwise, in a configuration. Never holds a secret.</summary>
/// <param name="Key">Path of the key as in <c>listeners[0].secret</c>; empty = the file as a whole.</param>
/// <param name="Problem">What is wrong, what to do, and an example that is valid.</param>
public sealed record ConfigurationError(string Key, string Problem)
{
    /// <inheritdoc/>
    public override string ToString() => Key.Length == 0 ? Problem : $"{Key}: {Problem}";
}
