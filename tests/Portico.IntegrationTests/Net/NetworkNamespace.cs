using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Text;
using Xunit;

namespace Portico.IntegrationTests.Net;

/// <summary>
/// A thread in a network namespace of its own, with nothing but a loopback device;
/// threads that it starts are there too. Needs root.
/// </summary>
internal static unsafe partial class NetworkNamespace
{
    // CLONE_NEWNET, AF_INET, SOCK_DGRAM, SIOCSIFFLAGS, IFF_UP, and struct ifreq.
    private const int NewNetwork = 0x4000_0000, InterNetwork = 2, Datagram = 2, SetFlags = 0x8914, Up = 1;
    private const int FlagsOffset = 16, RequestLength = 40;

    /// <summary>Why there is none to be had; null = there is.</summary>
    public static string? WhyNot()
    {
        if (!OperatingSystem.IsLinux()) return "network namespaces are Linux's";
        try
        {
            Run("40000 40100", () => { });
            return null;
        }
        catch (Exception error) when (error is InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            return error.Message;
        }
    }

    /// <summary>Runs <paramref name="test"/> there.</summary>
    /// <param name="localPorts">First and last local port for connections.</param>
    /// <param name="test">May start threads, and must not leave work to the pool that opens sockets.</param>
    public static void Run(string localPorts, Action test)
    {
        ExceptionDispatchInfo? fault = null;
        var thread = new Thread(() =>
        {
            try
            {
                if (Unshare(NewNetwork) != 0)
                    throw new InvalidOperationException($"no network namespace: error {Marshal.GetLastPInvokeError()}");
                BringLoopbackUp();
                File.WriteAllText("/proc/sys/net/ipv4/ip_local_port_range", localPorts);
                File.WriteAllText("/proc/sys/net/ipv4/tcp_tw_reuse", "0"); // which would use ports in TIME_WAIT again, on loopback alone
                test();
            }
            catch (Exception error)
            {
                fault = ExceptionDispatchInfo.Capture(error);
            }
        });
        thread.Start();
        thread.Join();
        fault?.Throw();
    }

    private static void BringLoopbackUp()
    {
        var request = stackalloc byte[RequestLength];
        new Span<byte>(request, RequestLength).Clear();
        Encoding.ASCII.GetBytes("lo", new Span<byte>(request, FlagsOffset));
        *(short*)(request + FlagsOffset) = Up;
        var socket = Socket(InterNetwork, Datagram, 0);
        var result = Control(socket, SetFlags, request);
        var error = Marshal.GetLastPInvokeError();
        _ = Close(socket);
        if (result != 0) throw new InvalidOperationException($"no loopback device: error {error}");
    }

    [LibraryImport("libc", EntryPoint = "unshare", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Unshare(int flags);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Control(int descriptor, nuint request, void* argument);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int descriptor);
}

/// <summary>
/// A test in a network namespace of its own: skipped with the reason where there is none,
/// unless PORTICO_REQUIRE_TOOLS=1 says that nothing may be skipped.
/// </summary>
public sealed class NamespaceFactAttribute : FactAttribute
{
    private static readonly string? WhyNot = NetworkNamespace.WhyNot();

    public NamespaceFactAttribute() => Skip = WhyNot is null || ToolTheoryAttribute.NothingMaySkip ? null : $"needs root: {WhyNot}";
}
