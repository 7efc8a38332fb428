using System.Buffers;

namespace Portico.Core.Web;

/// <summary>
/// Frames for an app, on their way out. Whoever may still read them holds a share: a carrier that may have to repeat them, each answer
/// that is being written. The memory is rented until the last one lets go, or somebody would be sent what others wrote into it.
/// </summary>
/// <param name="bytes">Rented from the shared pool.</param>
/// <param name="start">Where the frames begin.</param>
/// <param name="length">Bytes of them.</param>
internal sealed class WebBatch(byte[] bytes, int start, int length)
{
    private int _shares = 1;

    /// <summary>The frames.</summary>
    public ReadOnlyMemory<byte> Bytes => bytes.AsMemory(start, length);

    /// <summary>Some bytes in front of the frames, for a header of whoever sends them, and the frames.</summary>
    /// <param name="header">At most what the batch was made with.</param>
    public Span<byte> With(int header) => bytes.AsSpan(start - header, header + length);

    /// <summary>For one more reader.</summary>
    public WebBatch Share()
    {
        Interlocked.Increment(ref _shares);
        return this;
    }

    /// <summary>One reader less. From any thread.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _shares) == 0) ArrayPool<byte>.Shared.Return(bytes);
    }
}
