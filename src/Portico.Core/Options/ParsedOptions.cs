using System.Collections.Immutable;

namespace Portico.Core.Options;

/// <summary>What <see cref="ProxyOptionsParser.Parse"/> found out.</summary>
/// <param name="Settings">Null if there is any error.</param>
/// <param name="Errors">Everything that is wrong, not only the first.</param>
/// <param name="Warnings">What works, but is unwise.</param>
public sealed record ParsedOptions(
    ProxySettings? Settings, ImmutableArray<ConfigurationError> Errors, ImmutableArray<ConfigurationError> Warnings);
