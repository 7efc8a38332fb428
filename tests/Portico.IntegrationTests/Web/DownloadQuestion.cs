using System.Buffers.Binary;
using Portico.Protocol;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Portico.TestKit.Telegram;

namespace Portico.IntegrationTests.Web;

/// <summary>The bytes of a client that asks the fake data centre for a download and says nothing more.</summary>
internal static class DownloadQuestion
{
    /// <summary>Header and question.</summary>
    /// <param name="secret">Of a dd link.</param>
    /// <param name="frames">So many.</param>
    /// <param name="size">Bytes of each.</param>
    public static byte[] Of(ProxySecret secret, uint frames, int size)
    {
        var header = ClientHeader.Create(secret, Transport.Padded, 2, out var streams);
        var body = new byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(body, frames);
        BinaryPrimitives.WriteInt32LittleEndian(body.AsSpan(4), size);
        var question = TestFrame.Create(TestCommand.Source, body);
        var packet = new byte[sizeof(int) + question.Length];
        BinaryPrimitives.WriteInt32LittleEndian(packet, question.Length);
        question.CopyTo(packet, sizeof(int));
        streams.ClientToServer.Transform(packet);
        return [.. header, .. packet];
    }
}
