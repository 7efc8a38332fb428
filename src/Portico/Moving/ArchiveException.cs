namespace Portico.Moving;

/// <summary>An archive cannot be read. The message continues a sentence that begins with the file's name.</summary>
internal sealed class ArchiveException(string message) : Exception(message);
