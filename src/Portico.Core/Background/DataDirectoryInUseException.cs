namespace Portico.Core.Background;

/// <summary>Another process owns the data directory. The message names it and what to do; it is meant for the operator as it is.</summary>
public sealed class DataDirectoryInUseException(string message) : Exception(message);
