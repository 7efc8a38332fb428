namespace Portico.Core.Control;

/// <summary>Not now. Unless the message says something else, what was asked may still be done.</summary>
public sealed class ProxyBusyException(string message) : Exception(message)
{
    /// <summary>A loop is hung, dead or far behind.</summary>
    public ProxyBusyException()
        : this("an event loop did not answer in time")
    {
    }
}
