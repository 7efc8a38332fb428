using System.Collections.Immutable;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Portico.Core.Net.Epoll;

namespace Portico.Core.Net;

/// <summary>
/// The service manager that started this process, if it wants to hear how it is: systemd and what speaks like it (sd_notify(3)).
/// Nothing depends on whether it hears.
/// </summary>
public sealed class ServiceManager
{
    private const string SocketVariable = "NOTIFY_SOCKET", WatchdogVariable = "WATCHDOG_USEC", WatchdogProcessVariable = "WATCHDOG_PID",
        StoreVariable = "FDSTORE";

    // Under this name it keeps the listening sockets.
    private const string StoredName = "portico";

    // One that does not read must not hold up the proxy.
    private const int PatienceMs = 2000;

    private readonly byte[] _address;

    private ServiceManager(byte[] address) => _address = address;

    /// <summary>It restarts the service if it hears nothing for so long; null = it waits for nothing.</summary>
    public TimeSpan? Watchdog { get; private init; }

    /// <summary>So many sockets it keeps over a restart, as it says.</summary>
    public int MostKept { get; private init; }

    /// <summary>That of this process; null = there is none, or it wants to hear nothing.</summary>
    /// <param name="isSuccessor">This process succeeds the one that the manager started, so what it told that one is for this one.</param>
    public static ServiceManager? OfThisProcess(bool isSuccessor)
    {
        var path = Environment.GetEnvironmentVariable(SocketVariable);
        if (!OperatingSystem.IsLinux() || string.IsNullOrEmpty(path) || path[0] is not ('/' or '@'))
            return null;
        var address = Encoding.UTF8.GetBytes(path);
        if (address[0] == (byte)'@') address[0] = 0; // a name without a file
        var isForUs = isSuccessor || EnvironmentNumber.Of(WatchdogProcessVariable) is not { } process || process == Environment.ProcessId;
        return new ServiceManager(address)
        {
            Watchdog = isForUs && EnvironmentNumber.Of(WatchdogVariable) is { } micros and > 0 ? TimeSpan.FromMicroseconds(micros) : null,
            MostKept = (int)Math.Min(int.MaxValue, EnvironmentNumber.Of(StoreVariable) ?? 0),
        };
    }

    /// <summary>Tells it.</summary>
    /// <param name="states">NAME=value, as sd_notify(3) lists them.</param>
    public void Tell(params ReadOnlySpan<string> states) => Send(string.Join('\n', states), []);

    /// <summary>
    /// It begins to reload; <c>READY=1</c> is to follow. With the time that is asked for, or an earlier READY would be taken for that.
    /// </summary>
    public void TellReloading()
    {
        // The monotonic clock of the system, in microseconds: what the runtime's stopwatch reads on Linux.
        var now = System.Diagnostics.Stopwatch.GetTimestamp() / (System.Diagnostics.Stopwatch.Frequency / 1_000_000);
        Tell("RELOADING=1", string.Create(CultureInfo.InvariantCulture, $"MONOTONIC_USEC={now}"));
    }

    /// <summary>
    /// It is to keep these sockets and no others, so that clients who come while no process runs wait instead of being refused.
    /// </summary>
    public void Keep(ImmutableArray<int> sockets)
    {
        Tell("FDSTOREREMOVE=1", $"FDNAME={StoredName}");
        for (var first = 0; first < sockets.Length; first += DescriptorMessage.MostDescriptors)
        {
            var some = sockets.AsSpan(first, Math.Min(sockets.Length - first, DescriptorMessage.MostDescriptors));
            // FDPOLL=0: a listening socket has news when somebody waits, which is no reason to give it up.
            Send($"FDSTORE=1\nFDNAME={StoredName}\nFDPOLL=0", some);
        }
    }

    private void Send(string text, ReadOnlySpan<int> descriptors)
    {
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { SendTimeout = PatienceMs };
            _ = DescriptorMessage.Send((int)socket.Handle, _address, Encoding.UTF8.GetBytes(text), descriptors);
        }
        catch (SocketException)
        {
            // No descriptor is left for it.
        }
    }
}
