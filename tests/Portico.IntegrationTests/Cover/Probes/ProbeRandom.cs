namespace Portico.IntegrationTests.Cover.Probes;

/// <summary>
/// Bytes that look random and are the same for the cover and for the proxy:
/// what is compared must have been asked the same.
/// </summary>
internal static class ProbeRandom
{
    private static readonly Random Source = new(20110);

    public static byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        lock (Source)
            Source.NextBytes(bytes);
        return bytes;
    }

    /// <summary>The same with a given first byte.</summary>
    public static byte[] Bytes(byte first, int count) => [first, .. Bytes(count - 1)];
}
