using System.Globalization;
using System.Text;
using Portico.Protocol.WebSockets;
using Xunit;

namespace Portico.Protocol.Tests.WebSockets;

/// <summary>What a client sends on a WebSocket, frame behind frame, whole and cut everywhere.</summary>
public class WebSocketReaderTests
{
    /// <summary>Frames as [final.]opcode:text, and what is read of them.</summary>
    public static TheoryData<string, string> Read => new()
    {
        { "f2:Hello", "Hello." },                                   // section 5.7
        { "2:Hel f0:lo", "Hello." },
        { "2: 0: f0:", "." },
        { "f2:", "." },
        { "f2:a f2:b", "a.b." },
        { "f9:Hello", "<ping Hello>" },
        { "f9: fa: fa:x", "<ping ><pong ><pong x>" },
        { "2:Hel f9:there? f0:lo f2:x", "Hel<ping there?>lo.x." },  // section 5.4
        { "f8:", "<close >" },
        { "f8:\u0003\u00e8bye", "<close \u0003\u00e8bye>" },
        { "f1:text f2:x", "<text>text.x." },
        { "1:te f0:xt f2:x", "<text>text.x." },
        { "f0:x", "!" },                                            // goes on with nothing
        { "2:a f2:b", "a!" },                                       // begins before the end
        { "2:a f1:b", "a!" },
        { "f8:x", "!" },                                            // half a status
        { "f2:a f3:b", "a.!" },
        { "f2:a 9:b", "a.!" },
        { "f2:\u00001000 f2:x", new string('\0', 1000) + ".x." },   // lengths of other forms
        { "f2:\u000070000 f9:x", new string('\0', 70000) + ".<ping x>" },
    };

    [Theory]
    [MemberData(nameof(Read))]
    public void Messages_and_what_stands_between_them_are_read_however_they_arrive(string frames, string expected)
    {
        var bytes = Frames(frames);
        foreach (var (how, parts) in Segmentation.Deliveries(bytes))
        {
            var told = Told(parts);
            Assert.True(expected == told, $"{how}: {told[..Math.Min(200, told.Length)]}");
        }
    }

    [Fact]
    public void What_is_announced_takes_no_memory()
    {
        byte[] bytes = [0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4, (byte)('x' ^ 1)];
        var reader = new WebSocketReader();

        var piece = reader.Read(bytes, out var consumed);

        Assert.Equal((new WebSocketPiece(WebSocketPieceKind.Payload, 14, 1), 15), (piece, consumed));
        Assert.Equal('x', (char)bytes[14]);
    }

    // As a server does: what was not consumed is shown again with more behind it.
    private static string Told(Memory<byte>[] parts)
    {
        var reader = new WebSocketReader();
        var (told, kept) = (new StringBuilder(), Array.Empty<byte>());
        foreach (var part in parts)
        {
            kept = [.. kept, .. part.ToArray()];
            while (true)
            {
                var piece = reader.Read(kept, out var consumed);
                var payload = Encoding.Latin1.GetString(kept, piece.Start, piece.Length);
                told.Append(piece.Kind switch
                {
                    WebSocketPieceKind.None => "",
                    WebSocketPieceKind.Payload => payload + (piece.IsEnd ? "." : ""),
                    WebSocketPieceKind.Text => "<text>",
                    WebSocketPieceKind.Ping => $"<ping {payload}>",
                    WebSocketPieceKind.Pong => $"<pong {payload}>",
                    WebSocketPieceKind.Close => $"<close {payload}>",
                    _ => "!",
                });
                kept = kept[consumed..];
                if (piece.Kind == WebSocketPieceKind.Invalid) return told.ToString();
                if (piece.Kind == WebSocketPieceKind.None) break;
            }
        }

        Assert.Empty(kept);
        return told.ToString();
    }

    private static byte[] Frames(string frames)
    {
        byte[] mask = [0x37, 0xfa, 0x21, 0x3d];
        var bytes = new List<byte>();
        foreach (var frame in frames.Split(' '))
        {
            var colon = frame.IndexOf(':', StringComparison.Ordinal);
            var (head, text) = (frame[..colon], frame[(colon + 1)..]);
            var payload = text.StartsWith('\0')
                ? new byte[int.Parse(text[1..], CultureInfo.InvariantCulture)]
                : Encoding.Latin1.GetBytes(text);
            var isFinal = head.Length > 1;
            bytes.Add((byte)((isFinal ? 0x80 : 0) | Convert.ToInt32(head[^1..], 16)));
            bytes.AddRange(payload.Length switch
            {
                < 126 => [(byte)(0x80 | payload.Length)],
                <= 65535 => [0xfe, (byte)(payload.Length >> 8), (byte)payload.Length],
                _ => [0xff, 0, 0, 0, 0, 0, (byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length],
            });
            bytes.AddRange(mask);
            bytes.AddRange(payload.Select((value, i) => (byte)(value ^ mask[i & 3])));
        }

        return [.. bytes];
    }
}
