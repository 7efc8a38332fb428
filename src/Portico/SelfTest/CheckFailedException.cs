namespace Portico.SelfTest;

/// <summary>The proxy did something else than it must. The message completes the line of the check in the report.</summary>
internal sealed class CheckFailedException(string message) : Exception(message);
