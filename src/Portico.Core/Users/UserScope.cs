namespace Portico.Core.Users;

/// <summary>Where a name means one user: on one listener of the configuration, or, of managed users, in the whole proxy.</summary>
/// <param name="listener">Its name; empty = every listener.</param>
/// <param name="ledger">Of the whole proxy.</param>
internal sealed class UserScope(string listener, UsageLedger ledger)
{
    /// <summary>Name of the listener; empty = every listener.</summary>
    public string Listener => listener;

    /// <summary>Of the whole proxy.</summary>
    public UsageLedger Ledger => ledger;
}
