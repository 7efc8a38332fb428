using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Portico.Fuzz.Checking;

/// <summary>Pages with a protected one before and behind them, straight from the kernel.</summary>
internal sealed unsafe partial class GuardedMemory : IDisposable
{
    // Linux on x64 and arm64; pages are at most this large there.
    private const int Page = 1 << 16;
    private const int Usable = 1 << 16;
    private const int None = 0;
    private const int ReadWrite = 1 | 2;
    private const int PrivateAnonymous = 0x02 | 0x20;

    private readonly byte* _mapping;

    public GuardedMemory()
    {
        _mapping = (byte*)Map(0, Page + Usable + Page, None, PrivateAnonymous, -1, 0);
        if (_mapping == (byte*)-1) throw new Win32Exception();
        if (Protect((nint)(_mapping + Page), Usable, ReadWrite) != 0) throw new Win32Exception();
    }

    public static bool IsSupported => OperatingSystem.IsLinux() && Environment.Is64BitProcess;

    /// <summary>The part that may be used, all of it.</summary>
    public Span<byte> Span => new(_mapping + Page, Usable);

    /// <summary>The first byte behind the usable part, which must not be touched.</summary>
    public nint End => (nint)(_mapping + Page + Usable);

    public void Dispose() => _ = Unmap((nint)_mapping, Page + Usable + Page);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(nint address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(nint address, nuint length);
}
