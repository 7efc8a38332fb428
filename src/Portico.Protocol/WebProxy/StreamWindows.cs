namespace Portico.Protocol.WebProxy;

/// <summary>How much may still be sent on a stream, in bytes for each direction.</summary>
/// <param name="Receive">What the other side may send.</param>
/// <param name="Send">What we may.</param>
internal record struct StreamWindows(uint Receive, uint Send)
{
    /// <summary>What OPEN alone allows, in either direction.</summary>
    public const uint Initial = 4 << 20;

    /// <summary>A stream that was just opened.</summary>
    public static StreamWindows AtOpen => new(Initial, Initial);

    /// <summary>Takes as much of the window as there is for what waits.</summary>
    public int Spend(int waiting)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(waiting);
        var allowed = (int)Math.Min((uint)waiting, Send);
        Send -= (uint)allowed;
        return allowed;
    }

    /// <summary>A sum of credits, which stays at 2^32 - 1 once it is there.</summary>
    public static uint Sum(uint window, uint credit) => (uint)Math.Min((ulong)window + credit, uint.MaxValue);
}
