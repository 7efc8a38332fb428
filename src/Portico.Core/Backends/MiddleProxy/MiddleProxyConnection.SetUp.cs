using System.Net;
using System.Net.Sockets;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Protocol;
using Portico.Protocol.MiddleProxy;

namespace Portico.Core.Backends.MiddleProxy;

/// <summary>Connect, exchange of nonces in plain text, keys, handshake (spec/03 section 2).</summary>
internal sealed partial class MiddleProxyConnection
{
    private const int WordLength = 4;

    // Telegram tolerates this much.
    private const int MostClockDifferenceSeconds = 30;

    // Nobody sends more before the handshake.
    private const int LongestSetUpFrame = 1024;

    private readonly byte[] _nonce = new byte[RpcNonce.NonceLength];
    private uint _timestamp;
    private IPEndPoint? _own;

    private void ConnectEnded(Channel channel)
    {
        var result = channel.Failed ? channel.ConnectResult() : SocketError.Success;
        if (channel.Failed && result == SocketError.Success) result = SocketError.ConnectionReset;
        if (result != SocketError.Success || channel.LocalAddress() is not { } local)
        {
            Lose(result == SocketError.Success ? SocketError.ConnectionReset : result, "connecting failed");
            return;
        }

        // The keys need the address that Telegram sees; ports are taken to pass an address translation unchanged (spec/03 section 1.2).
        var external = local.AddressFamily == AddressFamily.InterNetworkV6 ? _config.ExternalV6 : _config.ExternalV4;
        _own = new IPEndPoint(external ?? local.Address, local.Port);
        RpcAddress.Write(_own.Address, _ownAddress);
        channel.Settle();
        _phase = Phase.Nonce;
        _lastReceivedMs = _lastSentMs = Loop.NowMs;
        _timestamp = (uint)Loop.UnixSeconds;
        _pool.Services.Random.Fill(_nonce);
        RpcNonce.Write(BeginFrame(RpcNonce.Length), _config.Secret.KeySelector, _timestamp, _nonce);
        EndFrame(RpcNonce.Length);
        Pump();
    }

    // False: the link is lost.
    private bool TakeNonce(ReadOnlySpan<byte> payload)
    {
        if (!RpcNonce.TryRead(payload, _config.Secret.KeySelector, out var answer, out var error)) return Refuse(error);
        var difference = Loop.UnixSeconds - answer.Timestamp;
        if (Math.Abs(difference) > MostClockDifferenceSeconds) Log.ClockDiffers(_pool.Services.Log, _pool.Dc, difference);
        if (_own!.AddressFamily != _address.AddressFamily)
        {
            Lose(SocketError.AddressFamilyNotSupported, "external address and middle proxy are of different families");
            return false;
        }

        MiddleProxyKeys.Derive(answer.Nonce, _nonce, _timestamp, _address, _own, _config.Secret, out _encrypt, out _decrypt);
        _phase = Phase.Handshake;
        RpcHandshake.Write(BeginFrame(RpcHandshake.Length), RpcHandshake.AnonymousPid, RpcHandshake.AnonymousPid);
        EndFrame(RpcHandshake.Length);
        return true;
    }

    private bool TakeHandshake(ReadOnlySpan<byte> payload)
    {
        if (RpcHandshakeError.TryRead(payload, out var refusal)) Log.HandshakeRefused(_pool.Services.Log, _pool.Dc, refusal.Code);
        if (!RpcHandshake.TryReadAnswer(payload, RpcHandshake.AnonymousPid, out var error)) return Refuse(error);
        _phase = Phase.Ready;
        _idleSinceMs = Loop.NowMs;
        _counters.Connections++;
        _channel!.SetDeadline(Loop.NowMs + HeartbeatMs);
        _pool.Services.Metrics.DcConnect(_pool.Dc, SocketError.Success);
        Log.Ready(_pool.Services.Log, _pool.Dc, _address);
        _pool.OnConnected();
        return true;
    }

    private bool Refuse(MiddleProxyError error)
    {
        Lose(SocketError.ProtocolNotSupported, error.Tag());
        return false;
    }

    // The server may pad its plain nonce to whole blocks, and the padding may come in a segment of its own, before the first ciphertext.
    // That ciphertext begins with the same word once in four billion links.
    private void DropPlainPadding()
    {
        while (_incoming.Length >= WordLength && _incoming.Bytes.StartsWith(PaddingWord)) _incoming.Take(Loop.Buffers, WordLength);
    }

    private static ReadOnlySpan<byte> PaddingWord => [4, 0, 0, 0];
}
