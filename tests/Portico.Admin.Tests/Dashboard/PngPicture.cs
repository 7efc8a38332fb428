using System.Buffers.Binary;
using System.IO.Compression;
using ZXing;

namespace Portico.Admin.Tests.Dashboard;

/// <summary>The pixels of a picture as browsers write them: eight bits for each of three or four colours, row by row.</summary>
internal sealed class PngPicture
{
    private const int Signature = 8, Frame = 12;

    private readonly byte[] _pixels;
    private readonly int _bytesEach;

    public PngPicture(ReadOnlySpan<byte> file)
    {
        using var packed = new MemoryStream();
        for (var at = Signature; at < file.Length;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(file[at..]);
            var type = file.Slice(at + 4, 4);
            var content = file.Slice(at + 8, length);
            if (type.SequenceEqual("IHDR"u8))
            {
                (Width, Height) = (BinaryPrimitives.ReadInt32BigEndian(content), BinaryPrimitives.ReadInt32BigEndian(content[4..]));
                _bytesEach = (content[8], content[9], content[12]) switch
                {
                    (8, 2, 0) => 3,
                    (8, 6, 0) => 4,
                    var other => throw new NotSupportedException($"a picture of another kind: {other}"),
                };
            }
            else if (type.SequenceEqual("IDAT"u8))
            {
                packed.Write(content);
            }

            at += length + Frame;
        }

        packed.Position = 0;
        using var rows = new ZLibStream(packed, CompressionMode.Decompress);
        _pixels = new byte[Height * Width * _bytesEach];
        Unfilter(rows);
    }

    public int Width { get; }

    public int Height { get; }

    /// <summary>What a code says, wherever it is in the picture; null = there is none that can be read.</summary>
    public string? ReadCode()
    {
        var format = _bytesEach == 3 ? RGBLuminanceSource.BitmapFormat.RGB24 : RGBLuminanceSource.BitmapFormat.RGBA32;
        var reader = new BarcodeReaderGeneric { Options = { TryHarder = true, PossibleFormats = [BarcodeFormat.QR_CODE] } };
        return reader.Decode(new RGBLuminanceSource(_pixels, Width, Height, format))?.Text;
    }

    // PNG, chapter 9: each row says from which neighbours its bytes are the difference.
    private void Unfilter(Stream rows)
    {
        var stride = Width * _bytesEach;
        for (var y = 0; y < Height; y++)
        {
            var kind = rows.ReadByte();
            var row = _pixels.AsSpan(y * stride, stride);
            rows.ReadExactly(row);
            ReadOnlySpan<byte> above = y == 0 ? new byte[stride] : _pixels.AsSpan((y - 1) * stride, stride);
            for (var x = 0; x < stride; x++)
            {
                var (left, corner) = x < _bytesEach ? ((byte)0, (byte)0) : (row[x - _bytesEach], above[x - _bytesEach]);
                row[x] += kind switch
                {
                    0 => 0,
                    1 => left,
                    2 => above[x],
                    3 => (byte)((left + above[x]) / 2),
                    4 => Paeth(left, above[x], corner),
                    _ => throw new NotSupportedException($"filter {kind}"),
                };
            }
        }
    }

    private static byte Paeth(byte left, byte above, byte corner)
    {
        var guess = left + above - corner;
        var (a, b, c) = (Math.Abs(guess - left), Math.Abs(guess - above), Math.Abs(guess - corner));
        return a <= b && a <= c ? left : b <= c ? above : corner;
    }
}
