using System.Security.Cryptography;

namespace Portico.TestKit.Framing;

/// <summary>A growing row of bytes: appended at the end, consumed from the front.</summary>
internal sealed class ByteSink
{
    private byte[] _bytes = new byte[4096];
    private int _start;
    private int _end;

    internal int Length => _end - _start;

    internal Span<byte> Content => _bytes.AsSpan(_start, Length);

    /// <summary>As <see cref="Content"/>; valid until the next append.</summary>
    internal Memory<byte> Memory => _bytes.AsMemory(_start, Length);

    internal void Append(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Extend(bytes.Length));

    internal void AppendRandom(int count) => RandomNumberGenerator.Fill(Extend(count));

    /// <summary>Adds <paramref name="count"/> bytes and returns them for filling; they may hold anything.</summary>
    internal Span<byte> Extend(int count)
    {
        var space = Space(count).Span[..count];
        _end += count;
        return space;
    }

    /// <summary>Room for at least <paramref name="count"/> bytes behind the content, for <see cref="Commit"/>.</summary>
    internal Memory<byte> Space(int count)
    {
        if (_bytes.Length - _end < count)
        {
            var target = _bytes.Length - Length < count ? new byte[Math.Max(_bytes.Length * 2, Length + count)] : _bytes;
            _bytes.AsSpan(_start, Length).CopyTo(target);
            (_bytes, _start, _end) = (target, 0, Length);
        }
        return _bytes.AsMemory(_end);
    }

    internal void Commit(int count) => _end += count;

    internal void Consume(int count)
    {
        _start += count;
        if (_start == _end)
            _start = _end = 0;
    }

    internal void Clear() => _start = _end = 0;

    internal byte[] Take()
    {
        var bytes = Content.ToArray();
        Clear();
        return bytes;
    }
}
