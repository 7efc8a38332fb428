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
    // Telegram tolerates this much.
    private const int MostClockDifferenceSeconds = 30;

    private readonly byte[] _nonce = new byte[RpcNonce.NonceLength];
    private uint _timestamp;
    private IPEndPoint? _own;

    private void ConnectEnded(Channel channel)
    {
        var result = channel.Failed ? channel.ConnectResult() : SocketError.Success;
        if (channel.Failed && result == SocketError.Success) result = SocketError.ConnectionReset;
        if (result != SocketError.Success || channel.LocalAddress() is not { } local)
        {
            if (result == SocketError.Success) result = SocketError.ConnectionReset;
            Lose(result, ConnectErrors.Words(result));
            return;
        }

        // The keys need the address that Telegram sees; ports are taken to pass an address translation unchanged (spec/03 section 1.2).
        var external = local.AddressFamily == AddressFamily.InterNetworkV6 ? _config.ExternalV6 : _config.ExternalV4;
        _own = new IPEndPoint(external ?? local.Address, local.Port);
        RpcAddress.Write(_own.Address, _ownAddress);
        channel.Settle();
        channel.KeepAlive();
        _phase = Phase.Nonce;
        _lastReceivedMs = Loop.NowMs;
        _timestamp = (uint)Loop.UnixSeconds;
        _pool.Services.Random.Fill(_nonce);
        RpcNonce.Write(BeginFrame(RpcNonce.Length), _config.Secret.KeySelector, _timestamp, _nonce);
        EndFrame(RpcNonce.Length);
        Pump();
    }

    // False: the link is lost.
    private bool TakeNonce(ReadOnlySpan<byte> payload)
    {
        if (!RpcNonce.TryRead(payload, _config.Secret.KeySelector, out var answer, out var error))
            return Refuse(error);
        var difference = Loop.UnixSeconds - answer.Timestamp;
        if (Math.Abs(difference) > MostClockDifferenceSeconds)
            _pool.Services.Health.ClockDiffers(_pool.Dc, difference, Loop.NowMs);
        if (_own!.AddressFamily != _address.AddressFamily)
        {
            Lose(SocketError.AddressFamilyNotSupported, "external address and middle proxy are of different families");
            return false;
        }

        MiddleProxyKeys.Derive(answer.Nonce, _nonce, _timestamp, _address, _own, _config.Secret, out var encrypt, out var decrypt);
        _writer.UseKeys(encrypt);
        _reader.UseKeys(decrypt);
        _phase = Phase.Handshake;
        RpcHandshake.Write(BeginFrame(RpcHandshake.Length), RpcHandshake.AnonymousPid, RpcHandshake.AnonymousPid);
        EndFrame(RpcHandshake.Length);
        return true;
    }

    private bool TakeHandshake(ReadOnlySpan<byte> payload)
    {
        if (RpcHandshakeError.TryRead(payload, out var refusal))
            _pool.Services.Health.Refused(_pool.Dc, refusal.Code, Loop.NowMs);
        if (!RpcHandshake.TryReadAnswer(payload, RpcHandshake.AnonymousPid, out var error))
            return Refuse(error);
        _phase = Phase.Ready;
        _idleSinceMs = Loop.NowMs;
        _counters.Connections++;
        _channel!.SetDeadline(Loop.NowMs + HeartbeatMs);
        _pool.Services.Metrics.DcConnected(_pool.Dc, Loop.NowMs - _openedMs);
        Log.Ready(_pool.Services.Log, _pool.Dc, _address);
        _pool.OnConnected();
        return true;
    }

    private bool Refuse(MiddleProxyError error)
    {
        Lose(SocketError.ProtocolNotSupported, error.Tag());
        return false;
    }
}
