using System.Buffers;
using Portico.Protocol.WebProxy;

namespace Portico.Protocol.Tests.WebProxy;

/// <content>Frames, and bodies in several parts.</content>
internal static partial class WebVectors
{
    /// <summary>One sequence of several parts, as a reader gives what arrived in pieces.</summary>
    public static ReadOnlySequence<byte> Join(IEnumerable<Memory<byte>> parts)
    {
        Part? first = null, last = null;
        foreach (var part in parts)
        {
            last = new Part(part, last);
            first ??= last;
        }

        return first is null ? ReadOnlySequence<byte>.Empty : new ReadOnlySequence<byte>(first, 0, last!, last!.Memory.Length);
    }

    public static ReadOnlySequence<byte> Join(params byte[][] parts) => Join(parts.Select(part => part.AsMemory()));

    /// <summary>A whole frame; what a writer would refuse too.</summary>
    public static byte[] Frame(WebFrameType type, uint stream, params byte[] payload) =>
    [
        (byte)type, (byte)(stream >> 16), (byte)(stream >> 8), (byte)stream,
        (byte)(payload.Length >> 24), (byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length, .. payload,
    ];

    /// <summary>What a writer writes.</summary>
    public static byte[] Written(Writer write)
    {
        var bytes = new byte[2 * WebFrame.MaxEcho];
        return bytes[..write(bytes)];
    }

    public static WebProxyError ErrorOf(string? tag) =>
        tag is null ? WebProxyError.None : Enum.GetValues<WebProxyError>().Single(error => error.Tag() == tag);

    public delegate int Writer(Span<byte> destination);

    private sealed class Part : ReadOnlySequenceSegment<byte>
    {
        public Part(Memory<byte> bytes, Part? before)
        {
            Memory = bytes;
            if (before is null)
                return;
            RunningIndex = before.RunningIndex + before.Memory.Length;
            before.Next = this;
        }
    }
}
