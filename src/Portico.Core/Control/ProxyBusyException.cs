namespace Portico.Core.Control;

/// <summary>A loop did not answer in time: it is hung, dead or far behind. What was asked may still be done.</summary>
public sealed class ProxyBusyException() : Exception("an event loop did not answer in time");
