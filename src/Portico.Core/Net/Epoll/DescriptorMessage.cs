using System.Runtime.InteropServices;

namespace Portico.Core.Net.Epoll;

/// <summary>Messages on unix sockets that carry descriptors (man 7 unix, SCM_RIGHTS).</summary>
internal static unsafe class DescriptorMessage
{
    /// <summary>Most of them in one message (SCM_MAX_FD).</summary>
    public const int MostDescriptors = 253;

    // struct cmsghdr: length, level, type; data and the next one begin at multiples of 8.
    private const int HeaderLength = 16;

    /// <summary>Sends one message.</summary>
    /// <param name="socket">A datagram or seqpacket socket.</param>
    /// <param name="target">A path, or a name of the abstract space with a leading zero; empty = where it is connected.</param>
    /// <param name="text">What it says, at least one byte.</param>
    /// <param name="descriptors">What it carries, at most <see cref="MostDescriptors"/>. They stay ours as well.</param>
    /// <returns>0, or the error number.</returns>
    public static int Send(int socket, ReadOnlySpan<byte> target, ReadOnlySpan<byte> text, ReadOnlySpan<int> descriptors)
    {
        Span<byte> control = stackalloc byte[HeaderLength + (sizeof(int) * descriptors.Length) + sizeof(int)];
        control.Clear();
        BitConverter.TryWriteBytes(control, (nuint)(HeaderLength + (sizeof(int) * descriptors.Length)));
        BitConverter.TryWriteBytes(control[8..], Native.SOL_SOCKET);
        BitConverter.TryWriteBytes(control[12..], Native.SCM_RIGHTS);
        MemoryMarshal.AsBytes(descriptors).CopyTo(control[HeaderLength..]);
        Span<byte> address = stackalloc byte[SocketAddress.MaxLength];
        address.Clear();
        BitConverter.TryWriteBytes(address, (ushort)Native.AF_UNIX);
        if (target.Length > address.Length - sizeof(ushort)) return Native.ENAMETOOLONG;
        target.CopyTo(address[sizeof(ushort)..]);
        fixed (byte* bytes = text, carried = control, name = address)
        {
            var vector = new Native.IoVector { Base = bytes, Length = (nuint)text.Length };
            var message = new Native.MessageHeader
            {
                Name = target.IsEmpty ? null : name,
                NameLength = target.IsEmpty ? 0 : (nuint)(sizeof(ushort) + target.Length),
                Vectors = &vector,
                VectorCount = 1,
                Control = descriptors.IsEmpty ? null : carried,
                // What the kernel calls CMSG_SPACE: whole multiples of 8.
                ControlLength = descriptors.IsEmpty ? 0 : (nuint)((HeaderLength + (sizeof(int) * descriptors.Length) + 7) & ~7),
            };
            while (Native.sendmsg(socket, &message, Native.MSG_NOSIGNAL) < 0)
            {
                if (Native.Errno != Native.EINTR) return Native.Errno;
            }

            return 0;
        }
    }

    /// <summary>Receives one message.</summary>
    /// <param name="socket">A connected socket.</param>
    /// <param name="text">Where it goes; what is longer is lost.</param>
    /// <param name="descriptors">Gets what it carries. They are ours to close.</param>
    /// <returns>Its length, 0 at the end, -1 with <see cref="Native.Errno"/>.</returns>
    public static int Receive(int socket, Span<byte> text, List<int> descriptors)
    {
        Span<byte> control = stackalloc byte[HeaderLength + (sizeof(int) * MostDescriptors) + sizeof(int)];
        fixed (byte* bytes = text, carried = control)
        {
            var vector = new Native.IoVector { Base = bytes, Length = (nuint)text.Length };
            var message = new Native.MessageHeader
            {
                Vectors = &vector,
                VectorCount = 1,
                Control = carried,
                ControlLength = (nuint)control.Length,
            };
            nint length;
            while ((length = Native.recvmsg(socket, &message, Native.MSG_CMSG_CLOEXEC)) < 0)
            {
                if (Native.Errno != Native.EINTR) return -1;
            }

            Take(control[..(int)message.ControlLength], descriptors);
            return (int)length;
        }
    }

    private static void Take(ReadOnlySpan<byte> control, List<int> descriptors)
    {
        while (control.Length >= HeaderLength)
        {
            var length = (int)BitConverter.ToUInt64(control);
            if (length < HeaderLength || length > control.Length) return;
            if (BitConverter.ToInt32(control[8..]) == Native.SOL_SOCKET && BitConverter.ToInt32(control[12..]) == Native.SCM_RIGHTS)
                descriptors.AddRange(MemoryMarshal.Cast<byte, int>(control[HeaderLength..length]));
            control = control[Math.Min(control.Length, (length + 7) & ~7)..];
        }
    }
}
