using Portico.Fuzz.Searching;

namespace Portico.Fuzz.Targets.FakeTls;

/// <summary>A length that stands in a hello, and the bytes it counts.</summary>
/// <param name="At">Where it stands.</param>
/// <param name="Width">Its own bytes, big-endian.</param>
/// <param name="Begin">Where what it counts begins.</param>
/// <param name="End">And ends.</param>
internal readonly record struct LengthField(int At, int Width, int Begin, int End)
{
    public bool Encloses(LengthField other) => Begin <= other.At && other.End <= End && this != other;
}

/// <summary>
/// Finds the lengths of a hello in one record, as far as they make sense:
/// written for changing hellos, not for judging them.
/// </summary>
internal static class HelloLayout
{
    private const int AfterRandom = 43;
    private const int ServerName = 0;
    private const int KeyShare = 0x33;

    /// <summary>
    /// From the outside in: record, message, the vectors of the message,
    /// extensions and what is inside the two that matter.
    /// </summary>
    public static List<LengthField> Find(ReadOnlySpan<byte> hello)
    {
        var fields = new List<LengthField>();
        var end = hello.Length;
        if (!TryAdd(hello, fields, 3, 2, end, out end) || !TryAdd(hello, fields, 6, 3, end, out end))
            return fields;
        if (!TryAdd(hello, fields, AfterRandom, 1, end, out var at) // session id
            || !TryAdd(hello, fields, at, 2, end, out at) // suites
            || !TryAdd(hello, fields, at, 1, end, out at) // compression
            || !TryAdd(hello, fields, at, 2, end, out var extensionsEnd)) return fields;

        for (at += 2; TryAdd(hello, fields, at + 2, 2, extensionsEnd, out var next); at = next)
        {
            switch (NumberMutation.Read(hello.Slice(at, 2), bigEndian: true))
            {
                case ServerName when TryAdd(hello, fields, at + 4, 2, next, out _):
                    TryAdd(hello, fields, at + 7, 2, next, out _);
                    break;
                case KeyShare when TryAdd(hello, fields, at + 4, 2, next, out var listEnd):
                    for (var entry = at + 6; TryAdd(hello, fields, entry + 2, 2, listEnd, out entry);) { }
                    break;
            }
        }

        return fields;
    }

    private static bool TryAdd(ReadOnlySpan<byte> hello, List<LengthField> fields, int at, int width, int limit, out int end)
    {
        end = at + width;
        if (end > limit) return false;
        var begin = end;
        end += (int)NumberMutation.Read(hello.Slice(at, width), bigEndian: true);
        if (end > limit) return false;
        fields.Add(new LengthField(at, width, begin, end));
        return true;
    }
}
