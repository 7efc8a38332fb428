using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Portico.Core.Net.Epoll;

/// <summary>
/// An array of struct epoll_event in native memory. The struct is packed (12 bytes) on x86-64 only and naturally aligned (16 bytes)
/// elsewhere, so it is read by offset rather than declared (docs/adr/0002; the layout test compares with the kernel's own writing).
/// </summary>
internal sealed unsafe class EpollEvents : IDisposable
{
    private static readonly bool IsPacked = RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.X86;
    private byte* _memory;

    public EpollEvents(int capacity)
    {
        Capacity = capacity;
        _memory = (byte*)NativeMemory.AllocZeroed((nuint)(capacity * Stride));
    }

    /// <summary>Bytes from one event to the next.</summary>
    public static int Stride => IsPacked ? 12 : 16;

    public int Capacity { get; }

    /// <summary>For the kernel to fill.</summary>
    public void* Pointer => _memory;

    public uint Mask(int index) => Unsafe.ReadUnaligned<uint>(_memory + (index * Stride));

    public ulong Token(int index) => Unsafe.ReadUnaligned<ulong>(_memory + (index * Stride) + TokenOffset);

    /// <summary>Writes one event for epoll_ctl into <paramref name="target"/>, which has room for 16 bytes.</summary>
    public static void Write(byte* target, uint mask, ulong token)
    {
        Unsafe.WriteUnaligned(target, mask);
        Unsafe.WriteUnaligned(target + TokenOffset, token);
    }

    public void Dispose()
    {
        NativeMemory.Free(_memory);
        _memory = null;
    }

    private static int TokenOffset => IsPacked ? 4 : 8;
}
