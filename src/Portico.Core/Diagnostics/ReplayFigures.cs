namespace Portico.Core.Diagnostics;

/// <summary>How much is remembered of clients, and how much may be.</summary>
/// <param name="Items">Beginnings.</param>
/// <param name="MostItems">So many may be remembered; 0 = none are.</param>
/// <param name="Bytes">Memory that they take.</param>
/// <param name="MostBytes">Memory that they may take.</param>
/// <param name="DiskBytes">Size of their files.</param>
/// <param name="MostDiskBytes">Size that those may have; 0 = there are no files.</param>
/// <param name="Unsaved">So many could not be written to the files.</param>
internal readonly record struct ReplayFigures(
    long Items, long MostItems, long Bytes, long MostBytes, long DiskBytes, long MostDiskBytes, long Unsaved);
