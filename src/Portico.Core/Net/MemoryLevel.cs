namespace Portico.Core.Net;

/// <summary>How short memory is. What each level does is in docs/architecture.md.</summary>
internal enum MemoryLevel : byte
{
    /// <summary>There is enough.</summary>
    Normal,

    /// <summary>Who holds more than its share is not read for until it holds less.</summary>
    Pressure,

    /// <summary>Strangers and callers that show nothing have to go, then clients that take nothing.</summary>
    Shedding,

    /// <summary>Whoever comes now is a stranger.</summary>
    Full,
}
