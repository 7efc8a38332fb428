namespace Portico.TestKit.Wires;

/// <summary>A peer did something else than the test said it would. The message tells both.</summary>
public sealed class PeerSurpriseException : Exception
{
    public PeerSurpriseException()
    {
    }

    public PeerSurpriseException(string message)
        : base(message)
    {
    }

    public PeerSurpriseException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
