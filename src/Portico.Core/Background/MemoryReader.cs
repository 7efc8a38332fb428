namespace Portico.Core.Background;

/// <summary>
/// What the system says of memory: of every control group that this process is in, and of the machine, of which this process has what is
/// resident and what the kernel keeps for TCP. Microseconds, no object; for one thread.
/// </summary>
internal sealed class MemoryReader : IDisposable
{
    // No machine has more; what overflows is not believed.
    private const long MostBytes = 1L << 60;
    private const int ResidentPages = 1;

    private readonly List<MemoryGroup> _groups;
    private readonly StatusFile _machine;
    private readonly StatusFile _process;
    private readonly StatusFile _sockets;
    private readonly int _pageBytes;

    /// <param name="root">Where the file system begins.</param>
    /// <param name="pageBytes">Bytes of a page of memory.</param>
    public MemoryReader(string root, int pageBytes)
    {
        var room = StatusFile.NewRoom();
        _pageBytes = pageBytes;
        _groups = MemoryGroups.Find(root, room);
        _machine = new StatusFile(Path.Join(root, "proc/meminfo"), room);
        _process = new StatusFile(Path.Join(root, "proc/self/statm"), room);
        _sockets = new StatusFile(Path.Join(root, "proc/net/sockstat"), room);
    }

    /// <summary>Of this machine.</summary>
    public static MemoryReader OfThisMachine() => new("/", Environment.SystemPageSize);

    /// <summary>The tightest of them all.</summary>
    public MemoryFigures Read()
    {
        var tightest = Machine();
        foreach (var group in _groups) tightest = MemoryFigures.Tighter(tightest, group.Read());
        return tightest;
    }

    public void Dispose()
    {
        foreach (var group in _groups) group.Dispose();
        _machine.Dispose();
        _process.Dispose();
        _sockets.Dispose();
    }

    // What others of the machine hold is not ours to use: the limit is what we have and what could be had besides.
    private MemoryFigures Machine()
    {
        var total = Bytes(_machine.Read().Number("MemTotal:"u8), 1024);
        var available = Bytes(_machine.Number("MemAvailable:"u8), 1024);
        if (total <= 0) return default;
        var resident = Bytes(_process.Read().Number(ResidentPages), _pageBytes);
        var sockets = Bytes(_sockets.Read().Number(" mem "u8, "TCP:"u8), _pageBytes);
        if (resident < 0) return default;
        var used = resident + Math.Max(0, sockets);
        return new MemoryFigures(used, available < 0 ? total : Math.Min(total, used + available), "the machine");
    }

    private static long Bytes(long count, int unit) => count < 0 || count > MostBytes / unit ? -1 : count * unit;
}
