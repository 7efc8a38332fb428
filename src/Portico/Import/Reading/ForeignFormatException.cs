namespace Portico.Import.Reading;

/// <summary>A file is not written in the language that it should be in. The message never quotes it: what stands there may be a
/// secret.</summary>
/// <param name="line">Where, from 1.</param>
/// <param name="problem">What is wrong.</param>
internal sealed class ForeignFormatException(int line, string problem) : Exception(problem)
{
    /// <summary>Where, from 1.</summary>
    public int Line => line;
}
