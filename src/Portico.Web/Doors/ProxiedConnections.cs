using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Portico.Protocol;
using Portico.Protocol.ProxyProtocol;

namespace Portico.Web.Doors;

/// <summary>
/// Connections that begin with a PROXY header, as those do that another part of this process passes on. The header is taken off, and
/// from then on the connection is one of the client's own.
/// </summary>
/// <param name="next">What a connection is then for.</param>
internal sealed class ProxiedConnections(ConnectionDelegate next)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Reads the header and goes on; a connection without one is cut off.</summary>
    public async Task OnConnectionAsync(ConnectionContext connection)
    {
        using var hurry = new CancellationTokenSource(Patience);
        if (await TryReadAsync(connection, hurry.Token).ConfigureAwait(false))
            await next(connection).ConfigureAwait(false);
        else connection.Abort();
    }

    private static async Task<bool> TryReadAsync(ConnectionContext connection, CancellationToken hurry)
    {
        var input = connection.Transport.Input;
        try
        {
            while (true)
            {
                var result = await input.ReadAsync(hurry).ConfigureAwait(false);
                var status = Take(connection, input, result.Buffer);
                if (status == FrameStatus.Ok) return true;
                if (status == FrameStatus.Invalid || result.IsCompleted) return false;
            }
        }
        catch (Exception error) when (error is OperationCanceledException or IOException)
        {
            return false;
        }
    }

    private static FrameStatus Take(ConnectionContext connection, PipeReader input, in ReadOnlySequence<byte> arrived)
    {
        Span<byte> bytes = stackalloc byte[(int)Math.Min(arrived.Length, ProxyHeader.MaxReadLength)];
        arrived.Slice(0, bytes.Length).CopyTo(bytes);
        var status = ProxyHeader.TryRead(bytes, out var length, out var source, out _);
        if (status == FrameStatus.Ok)
        {
            if (source is not null) connection.RemoteEndPoint = source;
            if (ProxyHeader.TryFindUniqueId(bytes[..length], out var name))
                connection.Features.Set(new NamedConnection(Encoding.ASCII.GetString(name)));
            input.AdvanceTo(arrived.GetPosition(length));
        }
        else
        {
            input.AdvanceTo(arrived.Start, arrived.End);
        }

        return status;
    }
}
