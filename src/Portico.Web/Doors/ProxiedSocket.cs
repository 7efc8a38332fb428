using System.Net;
using System.Text;
using Portico.Core.Net;
using Portico.Protocol;
using Portico.Protocol.ProxyProtocol;

namespace Portico.Web.Doors;

/// <summary>
/// A connection that begins with a PROXY header, as those do that another part of this process passes on. What comes behind the header is
/// the client's own; a connection without one is closed.
/// </summary>
internal sealed class ProxiedSocket : IChannelOwner
{
    private const int PatienceMs = 10_000;

    private readonly Channel _socket;
    private readonly Action<Head> _onHead;
    private readonly Action<Exception> _onFault;
    private readonly byte[] _arrived = new byte[ProxyHeader.MaxReadLength];
    private int _length;

    private ProxiedSocket(Channel socket, Action<Head> onHead, Action<Exception> onFault) =>
        (_socket, _onHead, _onFault) = (socket, onHead, onFault);

    /// <summary>What the header says.</summary>
    /// <param name="Early">What came behind the header.</param>
    /// <param name="Source">Where the client is; null = it does not say.</param>
    /// <param name="Name">The connection's name where it came in; null = it has none.</param>
    public readonly record struct Head(byte[] Early, IPEndPoint? Source = null, string? Name = null);

    /// <summary>On the loop: reads the header.</summary>
    /// <param name="socket">Nothing was read of it.</param>
    /// <param name="onHead">Hears what it says, on the loop; not of a connection without one.</param>
    /// <param name="onFault">Hears of an exception of ours.</param>
    public static void Begin(Channel socket, Action<Head> onHead, Action<Exception> onFault)
    {
        socket.Owner = new ProxiedSocket(socket, onHead, onFault);
        socket.SetDeadline(socket.Loop.NowMs + PatienceMs);
    }

    public void OnReady(Channel channel)
    {
        while (_socket.CanRead)
        {
            var status = _socket.Read(_arrived.AsSpan(_length), out var count);
            _length += count;
            if (status == IoStatus.WouldBlock) return;
            var found = ProxyHeader.TryRead(_arrived.AsSpan(0, _length), out var length, out var source, out _);
            if (found == FrameStatus.Ok)
            {
                var name = ProxyHeader.TryFindUniqueId(_arrived.AsSpan(0, length), out var id) ? Encoding.ASCII.GetString(id) : null;
                _socket.ClearDeadline();
                _onHead(new Head(_arrived[length.._length], source, name));
                return;
            }

            if (found == FrameStatus.NeedMoreData && status == IoStatus.Ok && _length < _arrived.Length)
                continue;
            _socket.Abort();
            return;
        }
    }

    public void OnDeadline(Channel channel) => _socket.Abort();

    public void OnShutdown(Channel channel) => _socket.Abort();

    public void OnFault(Exception error)
    {
        _onFault(error);
        _socket.Abort();
    }
}
