using System.Buffers;
using Portico.Protocol.WebProxy;

namespace Portico.SelfTest.WebApp;

/// <summary>
/// A session's only stream, for a client like any socket. Nothing runs beside its caller: while it sends and has no credit left, it takes
/// what comes, of which there cannot be more than the window that it gave.
/// </summary>
/// <param name="carrier">Taken over.</param>
internal sealed class AppStream(AppCarrier carrier) : IByteWay
{
    /// <summary>Its number.</summary>
    public const uint Id = 1;

    private const int MostAFrame = 256 * 1024;

    // Read and not given back as credit: a quarter of the window.
    private const uint WorthAFrame = RelayStreams.InitialWindow / 4;

    private readonly AppStreams _rules = Welcomed();
    private readonly Queue<byte[]> _arrived = [];
    private int _taken;
    private uint _owed;
    private bool _isOpen;

    /// <inheritdoc/>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        var batch = new List<byte>();
        if (!_isOpen) batch.AddRange(Open());
        while (!bytes.IsEmpty)
        {
            var count = _rules.Spend(Id, Math.Min(bytes.Length, MostAFrame));
            if (count == 0)
            {
                if (!await TakeAsync(cancel))
                    throw new CheckFailedException("the proxy closed the stream");
                continue;
            }

            var header = new byte[WebFrameHeader.Length];
            WebFrame.WriteDataHeader(header, Id, count);
            batch.AddRange(header);
            batch.AddRange(bytes.Span[..count]);
            await carrier.SendAsync([.. batch], cancel);
            batch.Clear();
            bytes = bytes[count..];
        }
    }

    /// <inheritdoc/>
    public async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancel)
    {
        while (_arrived.Count == 0)
        {
            if (!await TakeAsync(cancel)) return 0;
        }

        var first = _arrived.Peek().AsMemory(_taken);
        var count = Math.Min(first.Length, buffer.Length);
        first[..count].CopyTo(buffer);
        _taken += count;
        if (count == first.Length)
        {
            _arrived.Dequeue();
            _taken = 0;
        }

        await GiveCreditAsync(count, cancel);
        return count;
    }

    /// <inheritdoc/>
    public void Dispose() => carrier.Dispose();

    private static AppStreams Welcomed()
    {
        var rules = new AppStreams();
        WebFrameHeader.TryRead(WebFrame.Welcome, out var header, out _);
        rules.Accept(header, []);
        return rules;
    }

    private byte[] Open()
    {
        _isOpen = true;
        _rules.Open(Id);
        var frame = new byte[WebFrameHeader.Length];
        WebFrame.WriteOpen(frame, Id);
        return frame;
    }

    private async Task GiveCreditAsync(int read, CancellationToken cancel)
    {
        _owed += (uint)read;
        if (_owed < WorthAFrame || !_rules.TryGiveCredit(Id, _owed)) return;
        var frame = new byte[WebFrame.WindowLength];
        WebFrame.WriteWindow(frame, Id, _owed);
        _owed = 0;
        await carrier.SendAsync(frame, cancel);
    }

    // False if nothing more will come.
    private async Task<bool> TakeAsync(CancellationToken cancel)
    {
        if (!_rules.IsOpen(Id) || await carrier.ReceiveAsync(cancel) is not { } batch) return false;
        if (batch.Length > 0) Apply(batch);
        return true;
    }

    private void Apply(byte[] batch)
    {
        var reader = new WebBatchReader(new ReadOnlySequence<byte>(batch));
        while (reader.TryRead(out var frame))
        {
            var payload = frame.Payload.ToArray();
            var error = _rules.Accept(new WebFrameHeader(frame.Type, frame.Stream, payload.Length), payload);
            if (error != WebProxyError.None)
                throw new CheckFailedException($"an app would throw its session away: {error}");
            if (frame.Type == WebFrameType.Data) _arrived.Enqueue(payload);
        }

        if (reader.Error != WebProxyError.None)
            throw new CheckFailedException($"a batch that is none: {reader.Error}");
    }
}
