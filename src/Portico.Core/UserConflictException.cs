using System.Collections.Immutable;
using Portico.Core.Options;

namespace Portico.Core;

/// <summary>Settings name users that are managed ones too.</summary>
/// <param name="errors">Each name and secret that is in both, with both places.</param>
public sealed class UserConflictException(ImmutableArray<ConfigurationError> errors)
    : Exception("a managed user has the name or the secret of a user of the configuration file")
{
    /// <summary>Each name and secret that is in both, with both places.</summary>
    public ImmutableArray<ConfigurationError> Errors => errors;
}
