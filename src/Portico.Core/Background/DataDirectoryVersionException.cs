namespace Portico.Core.Background;

/// <summary>
/// A data directory is of a version that this program cannot go on with. The message names it and what to do; it is meant for the operator
/// as it is.
/// </summary>
public sealed class DataDirectoryVersionException(string message) : Exception(message);
