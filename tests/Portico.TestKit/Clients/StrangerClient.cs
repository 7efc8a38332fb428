using System.Net;
using Portico.TestKit.Wires;

namespace Portico.TestKit.Clients;

/// <summary>Somebody who knows no secret: sends bytes and reports exactly what came back and how it ended.</summary>
public static class StrangerClient
{
    /// <param name="endpoint">Who to call.</param>
    /// <param name="bytes">What to send.</param>
    /// <param name="piece">Bytes per write.</param>
    /// <param name="finish">FIN behind the bytes.</param>
    /// <param name="patience">How long to wait for each further byte; then the end is <see cref="PeerEnd.Timeout"/>.</param>
    public static async Task<Received> CallAsync(
        IPEndPoint endpoint, byte[] bytes, int piece = int.MaxValue, bool finish = false, TimeSpan? patience = null)
    {
        await using var wire = await Wire.ConnectAsync(endpoint);
        await wire.TrySendAsync(bytes, piece);  // the answer may come before the last byte went
        if (finish)
            wire.FinishSending();
        return await wire.ReadToEndAsync(patience);
    }
}
