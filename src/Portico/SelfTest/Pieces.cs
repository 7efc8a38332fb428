using System.Net.Sockets;
using System.Security.Cryptography;

namespace Portico.SelfTest;

/// <summary>Sending bytes so that they arrive as one write or as many.</summary>
internal static class Pieces
{
    private const int About = 24;

    // Long enough for the proxy to read what is there, short enough for two dozen of them.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(1);

    /// <summary>Sends every byte.</summary>
    public static async Task SendWholeAsync(this Socket socket, ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        while (!bytes.IsEmpty) bytes = bytes[await socket.SendAsync(bytes, cancel)..];
    }

    /// <summary>Sends every byte in some two dozen segments of random length, the first of a single byte.</summary>
    public static async Task SendAsync(IByteWay way, ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        var most = Math.Max(2 * bytes.Length / About, 1);
        var length = 1;
        while (!bytes.IsEmpty)
        {
            await way.SendAsync(bytes[..length], cancel);
            await Task.Delay(Pause, cancel);
            bytes = bytes[length..];
            length = Math.Min(bytes.Length, RandomNumberGenerator.GetInt32(1, most + 1));
        }
    }
}
