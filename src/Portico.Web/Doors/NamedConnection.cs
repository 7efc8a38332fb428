namespace Portico.Web.Doors;

/// <summary>A connection that another part of this process has passed on as a stranger's, and its name there.</summary>
/// <param name="name">As its PROXY header has it.</param>
internal sealed class NamedConnection(string name)
{
    private bool _isKnown;

    public string Name => name;

    /// <summary>It has turned out to be a client's. True the first time.</summary>
    public bool TryNoteClient() => !Interlocked.Exchange(ref _isKnown, true);
}
