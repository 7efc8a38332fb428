namespace Portico.Core.Sessions;

/// <summary>
/// Step 6, whatever the backend: takes the client's channel over
/// from the handshake and lives on as methods that the loop calls.
/// </summary>
internal interface IRelay
{
    /// <summary>Begins. Tries first: news that came in between is not announced again.</summary>
    void Start();
}
