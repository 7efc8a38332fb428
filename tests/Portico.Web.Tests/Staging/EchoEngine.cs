using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Portico.Core.Net;
using Portico.Core.Web;

namespace Portico.Web.Tests.Staging;

/// <summary>
/// In place of the session engine: sends back what comes, ends a stream that says "close", and to one that says "pour" sends zeros
/// without end.
/// </summary>
internal sealed class EchoEngine : IAcceptor
{
    /// <summary>Whose streams there were.</summary>
    public ConcurrentQueue<IPEndPoint> Clients { get; } = new();

    /// <summary>Streams that begin from now on are not read.</summary>
    public bool IsDeaf { get; set; }

    /// <summary>From now on those are read, too.</summary>
    public Task HearAsync(EventLoop loop) => LoopCall<bool>.On(loop, call =>
    {
        IsDeaf = false;
        foreach (var channel in loop.Slots.Open().Where(channel => channel.Owner is Echo))
        {
            channel.Owner = new Echo(isDeaf: false);
            channel.Owner.OnReady(channel);
        }

        call.TrySetResult(true);
    });

    public void OnAccepted(Channel channel)
    {
        Clients.Enqueue(channel.RemoteAddress()!);
        channel.Owner = new Echo(IsDeaf);
    }

    public void OnAcceptPaused(string error) => throw new InvalidOperationException(error);

    private sealed class Echo(bool isDeaf) : IChannelOwner
    {
        private static readonly byte[] Zeros = new byte[64 * 1024];

        private readonly byte[] _buffer = new byte[64 * 1024];
        private ReadOnlyMemory<byte> _pending;
        private bool _isPouring;

        public void OnReady(Channel channel)
        {
            if (isDeaf)
            {
                if (channel.HungUp) channel.Close();
                return;
            }

            while (true)
            {
                if (!_pending.IsEmpty)
                {
                    channel.Write(_pending.Span, out var written);
                    _pending = _pending[written..];
                    if (!_pending.IsEmpty) return;
                }

                if (_isPouring && channel.HungUp)
                {
                    channel.Close();
                    return;
                }

                if (_isPouring)
                {
                    _pending = Zeros;
                    continue;
                }

                var status = channel.Read(_buffer, out var count);
                if (status == IoStatus.WouldBlock) return;
                _pending = _buffer.AsMemory(0, count);
                if (_pending.Span.SequenceEqual("pour"u8)) _isPouring = true;
                if (status == IoStatus.Ok && Encoding.ASCII.GetString(_pending.Span) != "close")
                    continue;
                channel.Close();
                return;
            }
        }

        public void OnDeadline(Channel channel)
        {
        }

        public void OnShutdown(Channel channel) => channel.Close();

        public void OnFault(Exception error) => throw new InvalidOperationException("the echo failed", error);
    }
}
