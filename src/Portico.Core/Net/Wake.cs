namespace Portico.Core.Net;

/// <summary>What woke a waiter.</summary>
internal enum Wake : byte
{
    /// <summary>A channel of the waiter has news: try it.</summary>
    Event,

    /// <summary>The deadline set last has passed.</summary>
    Deadline,

    /// <summary>The proxy is stopping.</summary>
    Shutdown,
}
