namespace Portico.Core.Backends.MiddleProxy;

/// <summary>A client for which memory of its loop is rented.</summary>
internal interface IMemoryHolder
{
    /// <summary>How much.</summary>
    long HeldBytes { get; }

    /// <summary>All together is too much, and this client's share the largest.</summary>
    void OnLargestHolder();
}
