namespace Portico.Core.Users;

/// <summary>A user that is managed while the proxy runs: known to every listener, and the same one to all.</summary>
/// <param name="Current">The secret that links show.</param>
/// <param name="Former">The secret before, while it is good; null = none.</param>
internal sealed record ManagedUser(Credential Current, Credential? Former)
{
    public string Name => Current.Name;

    /// <summary>What is counted of the user, whatever becomes of the secrets.</summary>
    public UserRecord Record => Current.Shared!;

    /// <summary>The secrets, for a listener whose users have an ad tag if they have none of their own.</summary>
    public IEnumerable<Credential> CredentialsWith(Portico.Protocol.MiddleProxy.AdTag? tag)
    {
        yield return Current.AdTag is null && tag is not null ? Current with { AdTag = tag } : Current;
        if (Former is not null)
            yield return Former.AdTag is null && tag is not null ? Former with { AdTag = tag } : Former;
    }
}
