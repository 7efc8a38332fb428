namespace Portico.Core.Diagnostics;

/// <summary>How much is remembered of clients.</summary>
/// <param name="Items">Beginnings.</param>
/// <param name="Bytes">Memory that they take.</param>
/// <param name="DiskBytes">Size of their files.</param>
/// <param name="Unsaved">So many could not be written to the files.</param>
internal readonly record struct ReplayFigures(long Items, long Bytes, long DiskBytes, long Unsaved);
