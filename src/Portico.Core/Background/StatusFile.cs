using System.Buffers.Text;
using Microsoft.Win32.SafeHandles;

namespace Portico.Core.Background;

/// <summary>
/// A short file of numbers that the kernel writes anew for each reader. Stays open, so that reading costs no object;
/// one that is missing, unreadable or garbled has no numbers.
/// </summary>
internal sealed class StatusFile : IDisposable
{
    // The longest that is read, meminfo and memory.stat, have some 2 KB.
    private const int MostBytes = 16 * 1024;

    private readonly SafeFileHandle? _handle;
    private readonly byte[] _bytes;
    private int _length;

    /// <param name="path">Of the file.</param>
    /// <param name="bytes">Room that files read one after the other share; see <see cref="NewRoom"/>.</param>
    public StatusFile(string path, byte[] bytes)
    {
        _bytes = bytes;
        try
        {
            _handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // not on this system
        }
    }

    /// <summary>It is there.</summary>
    public bool Exists => _handle is not null;

    /// <summary>For constructors.</summary>
    public static byte[] NewRoom() => new byte[MostBytes];

    /// <summary>Reads it now. What was read of another file in the same room is gone.</summary>
    public StatusFile Read()
    {
        _length = 0;
        try
        {
            while (_handle is not null && _length < _bytes.Length)
            {
                var count = RandomAccess.Read(_handle, _bytes.AsSpan(_length), _length);
                if (count == 0) break;
                _length += count;
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _length = 0; // its group was removed
        }

        return this;
    }

    /// <summary>The number that is all there is; -1 = it is none, or one that no memory has.</summary>
    public long Number() => NumberAt(_bytes.AsSpan(0, _length));

    /// <summary>The number with this name, at the beginning of a line or, in a line of its own, behind another name; -1 likewise.</summary>
    /// <param name="name">With what stands between it and the number, but for spaces.</param>
    /// <param name="line">What the line must begin with.</param>
    public long Number(ReadOnlySpan<byte> name, ReadOnlySpan<byte> line = default)
    {
        var rest = (ReadOnlySpan<byte>)_bytes.AsSpan(0, _length);
        while (!rest.IsEmpty)
        {
            var end = rest.IndexOf((byte)'\n');
            var text = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[(end + 1)..];
            if (!text.StartsWith(line)) continue;
            var at = line.IsEmpty ? (text.StartsWith(name) ? 0 : -1) : text.IndexOf(name);
            if (at >= 0) return NumberAt(text[(at + name.Length)..]);
        }

        return -1;
    }

    /// <summary>The number behind so many others.</summary>
    public long Number(int index)
    {
        var rest = (ReadOnlySpan<byte>)_bytes.AsSpan(0, _length);
        for (; index > 0; index--)
        {
            var space = rest.IndexOf((byte)' ');
            if (space < 0) return -1;
            rest = rest[(space + 1)..];
        }

        return NumberAt(rest);
    }

    public void Dispose() => _handle?.Dispose();

    private static long NumberAt(ReadOnlySpan<byte> text)
    {
        text = text.TrimStart((byte)' ');
        if (!Utf8Parser.TryParse(text, out long number, out var length) || number < 0) return -1;
        return length == text.Length || text[length] is (byte)' ' or (byte)'\n' ? number : -1;
    }
}
