using System.Collections.Immutable;
using System.Net;
using Portico.Core.Net.Epoll;

namespace Portico.Core.Net;

/// <summary>
/// Listening sockets that this process did not open: of the proxy that it succeeds, or of a service manager. What is queued on them has
/// waited for us. Linux only.
/// </summary>
public sealed class InheritedSockets : IDisposable
{
    // Where a service manager puts them (sd_listen_fds(3)).
    private const int First = 3;

    private const string CountVariable = "LISTEN_FDS", ProcessVariable = "LISTEN_PID", NamesVariable = "LISTEN_FDNAMES";

    private readonly List<(IPEndPoint Bound, int Descriptor)> _free = [];

    internal InheritedSockets()
    {
    }

    /// <summary>Whoever starts with them accepts nothing, on no address, until it is told to.</summary>
    internal bool AreHeld { get; init; }

    /// <summary>So many addresses of the settings were among them.</summary>
    public int Taken { get; private set; }

    /// <summary>Some were not taken, and closed.</summary>
    public bool HasLeft { get; private set; }

    /// <summary>Where those listen that nobody has taken.</summary>
    public ImmutableArray<IPEndPoint> Left => [.. _free.Select(socket => socket.Bound).Distinct()];

    /// <summary>
    /// What a service manager passed on: LISTEN_FDS and LISTEN_PID. To be asked early, before their numbers can be something else's. The
    /// variables are gone afterwards, so that no child takes them for its own.
    /// </summary>
    /// <returns>Null if it passed nothing on, or nothing that listens for TCP.</returns>
    public static InheritedSockets? FromServiceManager()
    {
        var isOurs = EnvironmentNumber.Of(ProcessVariable) == Environment.ProcessId;
        var count = (int)Math.Min(EnvironmentNumber.Of(CountVariable) ?? 0, int.MaxValue - First);
        foreach (var name in new[] { CountVariable, ProcessVariable, NamesVariable }) Environment.SetEnvironmentVariable(name, null);
        if (!OperatingSystem.IsLinux() || !isOurs || count <= 0) return null;
        var sockets = new InheritedSockets();
        for (var descriptor = First; descriptor < First + count; descriptor++)
        {
            if (Native.fcntl(descriptor, Native.F_GETFD) < 0) break;
            sockets.Add(descriptor);
        }

        return sockets._free.Count > 0 ? sockets : null;
    }

    /// <summary>Closes those that nobody has taken. What is queued on them is refused, unless another process has them too.</summary>
    public void Dispose()
    {
        HasLeft |= _free.Count > 0;
        foreach (var (_, descriptor) in _free) _ = Native.close(descriptor);
        _free.Clear();
    }

    /// <summary>One more, ours to close from now on.</summary>
    /// <returns>False if it is no listening TCP socket; then it is as it was.</returns>
    internal bool Add(int descriptor)
    {
        if (ListeningSocket.BoundTo(descriptor) is not { } bound) return false;
        _ = Native.fcntl(descriptor, Native.F_SETFD, Native.FD_CLOEXEC);
        ListeningSocket.Adopt(descriptor);
        _free.Add((bound, descriptor));
        return true;
    }

    /// <summary>Those of an address, the caller's to close from now on; empty = there are none.</summary>
    /// <param name="wanted">As the settings have it. Port 0 takes the first port of the address that is left.</param>
    internal ImmutableArray<int> Take(IPEndPoint wanted)
    {
        var found = Find(wanted);
        // Where the machine has no IPv6, :: is 0.0.0.0.
        if (found is null && wanted.Address.Equals(IPAddress.IPv6Any))
            found = Find(new IPEndPoint(IPAddress.Any, wanted.Port));
        if (found is null) return [];
        var taken = _free.Where(socket => socket.Bound.Equals(found)).Select(socket => socket.Descriptor).ToImmutableArray();
        _free.RemoveAll(socket => socket.Bound.Equals(found));
        Taken++;
        return taken;
    }

    private IPEndPoint? Find(IPEndPoint wanted) => _free
        .Select(socket => socket.Bound)
        .FirstOrDefault(bound => bound.Address.Equals(wanted.Address) && (wanted.Port == 0 || bound.Port == wanted.Port));
}
