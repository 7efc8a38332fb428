using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Portico.Core.Options;

namespace Portico.Core.Admission.Replay;

/// <summary>What the files of the data directory say was seen, and the journals that go on with them.</summary>
internal sealed class ReplayFiles
{
    /// <summary>Files of what was seen, with a number behind.</summary>
    public const string SeenName = "clients-seen";

    /// <summary>Those of hellos with an unset clock.</summary>
    public const string UnsetClockName = "unset-clock-seen";

    // Half a second at 60 000 clients a second. Twice, 8 bytes each, of which nothing is touched that is not used.
    private const int Queue = 32768, UnsetQueue = 1024;

    // One step of age for each file; the set needs some for what comes now.
    private const int MostSteps = ReplayAges.Most - 56;

    private ReplayFiles(SeenJournal journal, bool wasThere, bool isDamaged)
    {
        Journal = journal;
        WasThere = wasThere;
        IsDamaged = isDamaged;
    }

    public SeenJournal Journal { get; }

    /// <summary>An earlier process has left files.</summary>
    public bool WasThere { get; }

    /// <summary>Something is missing that had been written.</summary>
    public bool IsDamaged { get; }

    /// <summary>Reads what was seen of clients, in one pass.</summary>
    /// <param name="directory">Data directory.</param>
    /// <param name="settings">The limits.</param>
    /// <param name="unixSeconds">The present.</param>
    /// <param name="now">The same by the loops' clock.</param>
    /// <param name="create">Makes the set, given the key.</param>
    /// <param name="set">With everything in it.</param>
    public static ReplayFiles Load(
        string directory, ReplaySettings settings, long unixSeconds, long now, Func<byte[], ReplaySet> create, out ReplaySet set)
    {
        var limits = new JournalLimits(settings.MaxItems, settings.MaxDiskBytes, (long)settings.MaxAge.TotalSeconds);
        var journal = new SeenJournal(directory, SeenName, limits, Queue);
        var (most, isDamaged) = journal.Find();
        set = create(journal.Key);
        if (most.Length == 0) return new ReplayFiles(journal, wasThere: false, isDamaged);

        // More than fit would be the oldest: their files are read and left out.
        var room = Math.Min(settings.MaxItems, settings.MaxBytes / (4 * LoadedItems.BytesPerItem)) + limits.SegmentItems;
        var first = most.Length;
        var total = 0L;
        while (first > 0 && total + most[first - 1] <= room && most.Length - first < MostSteps) total += most[--first];
        var loaded = new LoadedItems((int)total);
        var steps = new List<(int Items, long EndedAgo)>(most.Length);
        var (file, items, isShort) = (0, 0, false);
        isDamaged |= journal.Read(
            begin: () => items = 0,
            show: bytes =>
            {
                if (file < first) return;
                var taken = loaded.Add(bytes, (ushort)steps.Count);
                items += taken;
                isShort |= taken * sizeof(ulong) < bytes.Length; // a file that says less than it holds
            },
            end: lastUnix =>
            {
                // A clock that went back in between must not make them younger than they were.
                if (file++ >= first) steps.Add((items, Math.Max(0, unixSeconds - lastUnix)));
            });
        loaded.Order();
        if (loaded.Count > 0) set.Begin(loaded, CollectionsMarshal.AsSpan(steps), now);
        return new ReplayFiles(journal, wasThere: true, isDamaged || isShort);
    }

    /// <summary>Reads the hellos with an unset clock.</summary>
    public static ReplayFiles LoadUnset(string directory, out UnsetClockSet set)
    {
        var journal = new SeenJournal(directory, UnsetClockName, JournalLimits.None, UnsetQueue);
        var (most, isDamaged) = journal.Find();
        var unset = set = new UnsetClockSet(journal.Key);
        isDamaged |= journal.Read(
            begin: static () => { },
            show: bytes =>
            {
                for (; bytes.Length > 0; bytes = bytes[sizeof(ulong)..]) unset.Restore(BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            },
            end: static _ => { });
        return new ReplayFiles(journal, most.Length > 0, isDamaged);
    }
}
