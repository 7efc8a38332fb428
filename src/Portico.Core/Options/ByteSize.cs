using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Portico.Core.Options;

/// <summary>A number of bytes as it was written: a number, or a text such as "50 GiB".</summary>
/// <param name="Text">Of the number or the text; not checked yet.</param>
[JsonConverter(typeof(ByteSizeConverter))]
public readonly record struct ByteSize(string Text)
{
    /// <summary>Most bytes that can be meant: 8 EiB less one.</summary>
    public const long Most = long.MaxValue;

    // Powers of 1024 and of 1000, as disks and providers count.
    private static readonly (string Unit, long Bytes)[] Units =
    [
        ("B", 1), ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40), ("PiB", 1L << 50),
        ("KB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000), ("PB", 1_000_000_000_000_000),
    ];

    /// <summary>So many bytes.</summary>
    public static ByteSize Of(long bytes) => new(bytes.ToString(CultureInfo.InvariantCulture));

    /// <summary>The bytes; false = it is no such number, or too large.</summary>
    public bool TryRead(out long bytes)
    {
        bytes = 0;
        var text = (Text ?? "").AsSpan().Trim();
        var digits = text.IndexOfAnyExcept("0123456789.".AsSpan());
        var number = digits < 0 ? text : text[..digits];
        var unit = digits < 0 ? [] : text[digits..].Trim();
        if (!decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count))
            return false;
        var factor = unit.IsEmpty ? 1 : FactorOf(unit);
        if (factor == 0 || count > Most / (decimal)factor) return false;
        bytes = (long)decimal.Round(count * factor);
        return true;
    }

    /// <summary>As it was written.</summary>
    public override string ToString() => Text;

    private static long FactorOf(ReadOnlySpan<char> unit)
    {
        foreach (var (name, bytes) in Units)
        {
            if (unit.Equals(name, StringComparison.OrdinalIgnoreCase)) return bytes;
        }

        return 0;
    }
}

/// <summary>Numbers and texts both; what they mean is looked at later, with everything else that may be wrong.</summary>
public sealed class ByteSizeConverter : JsonConverter<ByteSize>
{
    private const int Longest = 64;

    /// <inheritdoc/>
    public override ByteSize Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType is not (JsonTokenType.Number or JsonTokenType.String))
            throw new JsonException();
        if (reader.TokenType == JsonTokenType.String) return new(reader.GetString()!);
        var raw = reader.HasValueSequence ? [] : reader.ValueSpan;
        return new(raw.Length is > 0 and <= Longest ? System.Text.Encoding.ASCII.GetString(raw) : "?");
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, ByteSize value, JsonSerializerOptions options)
    {
        if (long.TryParse(value.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            writer.WriteNumberValue(number);
        else writer.WriteStringValue(value.Text);
    }
}
