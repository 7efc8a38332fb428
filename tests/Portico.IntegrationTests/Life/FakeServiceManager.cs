using System.Net.Sockets;
using System.Text;
using Portico.Core.Net.Epoll;
using Portico.IntegrationTests.Commands;
using Portico.TestKit.Wires;

namespace Portico.IntegrationTests.Life;

/// <summary>What systemd does for a service of Type=notify: it hears, keeps descriptors, and passes them on to the next process.</summary>
internal sealed class FakeServiceManager : IDisposable
{
    // Numbers that nothing else in this process has.
    private const int DuplicateFrom = 400, FirstPassed = 3, DuplicateInheritable = 0;

    private readonly string _path;
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly List<string> _heard = [];
    private readonly List<int> _kept = [];
    private readonly Lock _gate = new();

    public FakeServiceManager(TemporaryDirectory directory)
    {
        _path = directory.File("notify.sock");
        _socket.Bind(new UnixDomainSocketEndPoint(_path));
        new Thread(Hear) { IsBackground = true }.Start();
    }

    /// <summary>Messages so far, in order.</summary>
    public IReadOnlyList<string> Heard
    {
        get
        {
            lock (_gate) return [.. _heard];
        }
    }

    /// <summary>How many descriptors it keeps.</summary>
    public int Kept
    {
        get
        {
            lock (_gate) return _kept.Count;
        }
    }

    /// <summary>The environment of a service.</summary>
    /// <param name="watchdog">It wants to hear this often; null = never.</param>
    /// <param name="keeps">So many descriptors at most.</param>
    public Dictionary<string, string> Variables(TimeSpan? watchdog = null, int keeps = 128)
    {
        var variables = new Dictionary<string, string> { ["NOTIFY_SOCKET"] = _path, ["FDSTORE"] = $"{keeps}" };
        if (watchdog is { } time) variables["WATCHDOG_USEC"] = $"{(long)time.TotalMicroseconds}";
        return variables;
    }

    /// <summary>Starts a service with what is kept, as sd_listen_fds(3) says.</summary>
    public PorticoProcess Start(string directory, Dictionary<string, string> variables)
    {
        lock (_gate) return Passing(_kept, command => PorticoProcess.Start(command, directory, [], variables));
    }

    /// <summary>Calls <paramref name="start"/> with the command of a service that gets these sockets.</summary>
    public static T Passing<T>(IReadOnlyList<int> sockets, Func<string[], T> start)
    {
        var inheritable = sockets.Select(socket => Native.fcntl(socket, DuplicateInheritable, DuplicateFrom)).ToList();
        var moves = string.Join(' ', inheritable.Select((number, i) => $"{FirstPassed + i}<&{number} {number}<&-"));
        var script = $"exec {moves}; export LISTEN_FDS={sockets.Count} LISTEN_PID=$$; exec \"$@\"";
        try
        {
            return start(["bash", "-c", script, "bash", .. PorticoExecutable.Command]);
        }
        finally
        {
            foreach (var number in inheritable) _ = Native.close(number);
        }
    }

    /// <summary>Waits until it has heard a line so many times.</summary>
    public async Task<int> UntilAsync(string line, int count = 1)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            var heard = Heard;
            var found = heard.Count(message => message.Split('\n').Contains(line));
            if (found >= count) return found;
            if (patience.IsCancellationRequested)
                throw new PeerSurpriseException($"not {count} times {line}: {string.Join(" | ", heard)}");
            await Task.Delay(10);
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        lock (_gate)
        {
            foreach (var descriptor in _kept) _ = Native.close(descriptor);
            _kept.Clear();
        }
    }

    private void Hear()
    {
        var (text, descriptors) = (new byte[4096], new List<int>());
        while (DescriptorMessage.Receive((int)_socket.Handle, text, descriptors) is > 0 and var length)
        {
            var message = Encoding.UTF8.GetString(text, 0, length);
            lock (_gate)
            {
                _heard.Add(message);
                if (message.StartsWith("FDSTOREREMOVE=1", StringComparison.Ordinal))
                {
                    foreach (var descriptor in _kept) _ = Native.close(descriptor);
                    _kept.Clear();
                }

                _kept.AddRange(descriptors);
            }

            descriptors.Clear();
        }
    }
}
