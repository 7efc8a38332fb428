using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Portico.Protocol.MiddleProxy;
using Portico.Protocol.TelegramConfig;

namespace Portico.SelfTest;

/// <summary>
/// A middle proxy as far as a proxy can tell (spec/03): shakes hands on a link,
/// then answers each client's packets under the client's id.
/// </summary>
/// <param name="dcId">The data centre it belongs to.</param>
/// <param name="secret">What all proxies share with it.</param>
/// <param name="fault">What it does wrong.</param>
/// <param name="linked">Called for every link whose handshake is done.</param>
internal sealed class StandInMiddleProxy(short dcId, MiddleProxySecret secret, StandInFault fault, Action linked)
{
    /// <summary>Serves one link.</summary>
    public async Task ServeAsync(Socket socket, CancellationToken cancel)
    {
        var link = new FrameConnection(socket);
        await ShakeHandsAsync(link, socket, cancel);
        linked();
        while (await link.ReceiveAsync(cancel) is { } payload)
        {
            if (AnswerTo(payload) is { } answer)
                await link.SendAsync(answer, fault == StandInFault.WrongChecksum, cancel);
        }
    }

    private async Task ShakeHandsAsync(FrameConnection link, Socket socket, CancellationToken cancel)
    {
        var answer = TakeNonce(await NextAsync(link, cancel), socket, out var incoming, out var outgoing);
        await link.SendAsync(answer, isDamaged: false, cancel);
        link.Encrypt(incoming, outgoing);
        answer = TakeHandshake(await NextAsync(link, cancel));
        await link.SendAsync(answer, isDamaged: false, cancel);
    }

    private static async Task<byte[]> NextAsync(FrameConnection link, CancellationToken cancel) =>
        await link.ReceiveAsync(cancel) ?? throw new CheckFailedException("the link ended in its handshake");

    private byte[] TakeNonce(byte[] payload, Socket socket, out MiddleProxyCipher incoming, out MiddleProxyCipher outgoing)
    {
        if (!RpcNonce.TryRead(payload, secret.KeySelector, out var message, out var error))
            throw new CheckFailedException($"RPC_NONCE: {error}");
        var nonce = RandomNumberGenerator.GetBytes(RpcNonce.NonceLength);
        MiddleProxyKeys.Derive(
            nonce, message.Nonce, message.Timestamp, (IPEndPoint)socket.LocalEndPoint!,
            (IPEndPoint)socket.RemoteEndPoint!, secret, out incoming, out outgoing);
        var answer = new byte[RpcNonce.Length];
        RpcNonce.Write(answer, secret.KeySelector, (uint)TimeProvider.System.GetUtcNow().ToUnixTimeSeconds(), nonce);
        return answer;
    }

    private static byte[] TakeHandshake(byte[] payload)
    {
        if (!RpcHandshake.TryRead(payload, out var message, out var error))
            throw new CheckFailedException($"RPC_HANDSHAKE: {error}");
        var answer = new byte[RpcHandshake.Length];
        RpcHandshake.Write(answer, RpcHandshake.AnonymousPid, message.SenderPid);
        return answer;
    }

    private byte[]? AnswerTo(byte[] payload)
    {
        var packet = RpcPacket.Read(payload);
        switch (packet.Kind)
        {
            case RpcPacketKind.Ping:
                var pong = new byte[RpcPacket.PingLength];
                RpcPacket.WritePong(pong, packet.PingId);
                return pong;
            case RpcPacketKind.ProxyReq:
                return AnswerToRequest(payload);
            default:
                return null;
        }
    }

    private byte[]? AnswerToRequest(byte[] payload)
    {
        if (!RpcProxyReq.TryRead(payload, out var header, out var offset)
            || !RpcProxyReqFlags.TryGetTransport(header.Flags, out var transport))
            throw new CheckFailedException("a request that contradicts itself");
        if (fault == StandInFault.HangUp)
        {
            var close = new byte[RpcPacket.CloseLength];
            RpcPacket.WriteCloseExt(close, header.ConnectionId);
            return close;
        }

        var seen = new SeenByTelegram(dcId, transport, header.AdTag.IsEmpty ? null : AdTag.Create(header.AdTag));
        if (StandInAnswers.To(payload[offset..], seen, fault) is not { } packet) return null;
        var answer = new byte[RpcPacket.ProxyAnsHeaderLength + packet.Length];
        RpcPacket.WriteProxyAnsHeader(answer, flags: 0, header.ConnectionId);
        packet.CopyTo(answer, RpcPacket.ProxyAnsHeaderLength);
        return answer;
    }
}
