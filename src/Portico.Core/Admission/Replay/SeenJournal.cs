using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using Portico.Core.Background;
using Portico.Protocol.Crypto;

namespace Portico.Core.Admission.Replay;

/// <summary>How much a journal may hold. The oldest segment goes whole when there is too much.</summary>
/// <param name="MaxItems">Items.</param>
/// <param name="MaxBytes">Of all files together.</param>
/// <param name="MaxSeconds">Age of the youngest item of a segment.</param>
internal readonly record struct JournalLimits(long MaxItems, long MaxBytes, long MaxSeconds)
{
    private const int Segments = 32, SegmentsPerAge = 64;

    public static JournalLimits None { get; } = new(long.MaxValue, long.MaxValue, long.MaxValue);

    public long SegmentItems => Math.Max(1, MaxItems / Segments);

    public long SegmentBytes => Math.Max(SeenFormat.HeaderLength + SeenFormat.MostFrameLength, MaxBytes / Segments);

    public long SegmentSeconds => Math.Max(1, MaxSeconds / SegmentsPerAge);
}

/// <summary>
/// Hashes in numbered files that only grow (<c>NAME.1</c>, <c>NAME.2</c>, ...; <see cref="SeenFormat"/>). Loops add to a queue; one
/// thread writes it out.
/// Read once, at the start; nothing is asked of the files afterwards.
/// </summary>
internal sealed class SeenJournal : IDisposable
{
    private readonly string _directory;
    private readonly string _name;
    private readonly JournalLimits _limits;
    private readonly SeenQueue _queue;
    private readonly Lock _files = new();
    private readonly List<Segment> _segments = [];
    private readonly byte[] _key = new byte[SipHash128.KeyLength];
    private readonly byte[] _frame = new byte[SeenFormat.MostFrameLength];
    private SafeFileHandle? _last;
    private ReadOnlyMemory<ulong> _kept; // taken from the queue, and not written yet
    private uint _keptUnix;
    private bool _isUnsynced;
    private long _dropped;
    private long _bytes;

    /// <param name="directory">Data directory.</param>
    /// <param name="name">Of the files.</param>
    /// <param name="limits">How much there may be.</param>
    /// <param name="queue">Items that may wait to be written.</param>
    public SeenJournal(string directory, string name, JournalLimits limits, int queue)
    {
        (_directory, _name, _limits, _queue) = (directory, name, limits, new SeenQueue(queue));
        RandomNumberGenerator.Fill(_key);
    }

    /// <summary>The key that items are hashed with. As secret as what is hashed.</summary>
    public byte[] Key => _key;

    /// <summary>Size of all files.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Items that are in memory only, because the files could not be written for too long.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Something has not reached the disk, only the system's memory.</summary>
    public bool IsUnsynced => Volatile.Read(ref _isUnsynced);

    /// <summary>Finds the files of an earlier process.</summary>
    /// <returns>For each file that can be read, the oldest first: at most so many items. And whether one could not be read.</returns>
    public (int[] MostItems, bool IsDamaged) Find()
    {
        if (!Directory.Exists(_directory)) return ([], false);
        var isDamaged = false;
        foreach (var path in Directory.EnumerateFiles(_directory, _name + ".*"))
        {
            // The pattern also finds a name without a dot.
            var extension = Path.GetExtension(path.AsSpan()).TrimStart('.');
            if (int.TryParse(extension, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                _segments.Add(new Segment(number, path));
        }

        _segments.Sort(static (a, b) => a.Number.CompareTo(b.Number));
        var hasKey = false;
        Span<byte> header = stackalloc byte[SeenFormat.HeaderLength], key = stackalloc byte[SipHash128.KeyLength];
        for (var i = _segments.Count - 1; i >= 0; i--)
        {
            var segment = _segments[i];
            using var file = File.OpenHandle(segment.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            segment.Length = RandomAccess.GetLength(file);
            var count = RandomAccess.Read(file, header, 0);
            if (SeenFormat.TryReadHeader(header[..count], key, out var hint) && (!hasKey || key.SequenceEqual(_key)))
            {
                key.CopyTo(_key);
                hasKey = true;
                var most = (int)Math.Min(int.MaxValue, (segment.Length - SeenFormat.HeaderLength) / SeenFormat.ItemLength);
                segment.Items = hint == 0 ? most : Math.Min(hint, most);
                continue;
            }

            // One that a kill left without its header is no loss. Any other stays, for a person to look at, until there is no room.
            isDamaged |= segment.Length > SeenFormat.HeaderLength;
            segment.IsForeign = true;
        }

        return ([.. _segments.Where(segment => !segment.IsForeign).Select(segment => segment.Items)], isDamaged);
    }

    /// <summary>Reads what <see cref="Find"/> has found, once.</summary>
    /// <param name="begin">Called before each file.</param>
    /// <param name="show">Is shown its items.</param>
    /// <param name="end">Called after each, with when its last items came, Unix seconds.</param>
    /// <returns>Whether something is missing that had been written.</returns>
    public bool Read(Action begin, ShowItems show, Action<long> end)
    {
        var (buffer, isDamaged, bytes) = (new byte[SeenReader.BufferLength], false, 0L);
        foreach (var segment in _segments)
        {
            bytes += segment.Length;
            if (segment.IsForeign) continue;
            begin();
            using var file = File.OpenHandle(segment.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var content = SeenReader.Read(file, buffer, show);
            end(content.LastUnix);
            isDamaged |= content.IsDamaged;
            (segment.Length, segment.Items) = (content.Length, content.Items);
            (segment.FirstUnix, segment.LastUnix) = (content.FirstUnix, content.LastUnix);
        }

        Interlocked.Exchange(ref _bytes, bytes);
        return isDamaged;
    }

    /// <summary>From any loop: an item is to be written soon.</summary>
    /// <returns>Whether the writer must be woken.</returns>
    public bool Add(ulong item, long unixSeconds)
    {
        if (_queue.TryAdd(item, (uint)Math.Clamp(unixSeconds, 1, uint.MaxValue), out var isFirst))
            return isFirst;
        Interlocked.Increment(ref _dropped);
        return true;
    }

    /// <summary>
    /// Writes what waits; opens a file in any case, so that the next start finds one. What cannot be written stays for the next call.
    /// </summary>
    /// <param name="sync">Not before it is on the disk.</param>
    /// <returns>Null, or why it could not be written.</returns>
    public string? Write(bool sync)
    {
        lock (_files)
        {
            return KeptFile.Guard(() =>
            {
                if (_kept.IsEmpty) _kept = _queue.Take(out _keptUnix);
                var last = Current();
                while (!_kept.IsEmpty)
                {
                    if (IsFull(_segments[^1])) last = Begin();
                    WriteFrame(last, _segments[^1], _kept.Span[..Math.Min(_kept.Length, SeenFormat.MostItems)]);
                    if (_kept.IsEmpty) _kept = _queue.Take(out _keptUnix);
                }

                if (!sync || !_isUnsynced) return;
                RandomAccess.FlushToDisk(last);
                _isUnsynced = false;
            });
        }
    }

    /// <summary>Everything is written, and the file says how much it holds.</summary>
    /// <returns>Null, or why that could not be done.</returns>
    public string? Close() => Write(sync: true) ?? KeptFile.Guard(() =>
    {
        lock (_files) Seal();
    });

    /// <summary>
    /// Another process is to read the files now: everything is written and they are closed. The disk can wait, as what the system has
    /// is read like what the disk has.
    /// </summary>
    /// <returns>Null, or why it could not be written; then they stay open.</returns>
    public string? LetGo() => Write(sync: false) ?? KeptFile.Guard(() =>
    {
        lock (_files)
        {
            if (_last is not null) WriteHeader(_last, _segments[^1].Items);
            Dispose();
        }
    });

    public void Dispose()
    {
        lock (_files)
        {
            _last?.Dispose();
            _last = null;
        }
    }

    // After a write that failed the same place is written again.
    private void WriteFrame(SafeFileHandle file, Segment segment, ReadOnlySpan<ulong> items)
    {
        var length = SeenFormat.WriteFrame(_frame, items, _keptUnix);
        RandomAccess.Write(file, _frame.AsSpan(0, length), segment.Length);
        _isUnsynced = true;
        segment.Took(items.Length, length, _keptUnix);
        Interlocked.Add(ref _bytes, length);
        _kept = _kept[items.Length..];
    }

    private bool IsFull(Segment segment) =>
        segment.Items >= _limits.SegmentItems
        || segment.Length + SeenFormat.MostFrameLength > _limits.SegmentBytes
        || (segment.Items > 0 && _keptUnix - (long)segment.FirstUnix >= _limits.SegmentSeconds);

    // The file that is written to. That of an earlier process goes on, from the end of its last frame.
    private SafeFileHandle Current()
    {
        if (_last is not null) return _last;
        if (_segments.Count == 0 || _segments[^1].IsForeign || IsFull(_segments[^1]))
            return Begin();
        var segment = _segments[^1];
        var file = KeptFile.OpenToWrite(segment.Path);
        RandomAccess.SetLength(file, segment.Length);
        WriteHeader(file, items: 0);
        return _last = file;
    }

    private SafeFileHandle Begin()
    {
        MakeRoom();
        if (_last is not null) Seal();
        var number = _segments.Count == 0 ? 1 : _segments[^1].Number + 1;
        var path = Path.Combine(_directory, $"{_name}.{number.ToString(CultureInfo.InvariantCulture)}");
        KeptFile.MakeDirectory(_directory);
        var file = KeptFile.Create(path);
        try
        {
            WriteHeader(file, items: 0);
        }
        catch
        {
            file.Dispose();
            File.Delete(path);
            throw;
        }

        _last?.Dispose();
        _segments.Add(new Segment(number, path) { Length = SeenFormat.HeaderLength });
        Interlocked.Add(ref _bytes, SeenFormat.HeaderLength);
        return _last = file;
    }

    private void Seal()
    {
        if (_last is null) return;
        WriteHeader(_last, _segments[^1].Items);
        RandomAccess.FlushToDisk(_last);
    }

    private void WriteHeader(SafeFileHandle file, int items)
    {
        Span<byte> header = stackalloc byte[SeenFormat.HeaderLength];
        SeenFormat.WriteHeader(header, _key, items);
        RandomAccess.Write(file, header, 0);
    }

    private void MakeRoom()
    {
        while (_segments.Count > 1)
        {
            var oldest = _segments[0];
            var items = _segments.Sum(static segment => segment.IsForeign ? 0L : segment.Items);
            var isTooMuch = Bytes > _limits.MaxBytes - _limits.SegmentBytes || items - oldest.Items >= _limits.MaxItems;
            var isTooOld = !oldest.IsForeign && _keptUnix - (long)oldest.LastUnix > _limits.MaxSeconds;
            if (!isTooMuch && !isTooOld) return;
            File.Delete(oldest.Path);
            _segments.RemoveAt(0);
            Interlocked.Add(ref _bytes, -oldest.Length);
        }
    }

    private sealed class Segment(int number, string path)
    {
        public int Number => number;

        public string Path => path;

        public bool IsForeign { get; set; }

        public long Length { get; set; }

        public int Items { get; set; }

        public uint FirstUnix { get; set; }

        public uint LastUnix { get; set; }

        public void Took(int items, int length, uint unixSeconds)
        {
            if (Items == 0) FirstUnix = unixSeconds;
            Items += items;
            Length += length;
            LastUnix = Math.Max(LastUnix, unixSeconds);
        }
    }
}
