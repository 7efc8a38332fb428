using Portico.Hosting;
using QRCoder;

namespace Portico.Links;

/// <summary>QR codes of half-block characters, drawn here so that no link leaves the machine.</summary>
internal static class QrText
{
    // Bright white on black, whatever the terminal's theme: scanners expect a dark code on light ground.
    private const string WhiteOnBlack = "\e[97;40m";
    private const string Reset = "\e[0m";

    /// <summary>Lines of text, each ended.</summary>
    /// <param name="text">What the code says.</param>
    /// <param name="terminal">Where it will be seen.</param>
    public static string Draw(string text, Terminal terminal)
    {
        // The lowest level of correction: a screen has no dirt, and a smaller code fits more terminals.
        using var code = QRCodeGenerator.GenerateQrCode(text, QRCodeGenerator.ECCLevel.L);
        using var drawing = new AsciiQRCode(code);
        var rows = drawing.GetGraphicSmall().Split('\n');
        if (terminal.Width > 0 && rows[0].Length > terminal.Width)
            return $"(a QR code takes {rows[0].Length} columns, and this terminal has {terminal.Width})\n";
        var lines = rows.Select(line => terminal.Colours ? $"{WhiteOnBlack}{line}{Reset}\n" : $"{line}\n");
        return string.Concat(lines);
    }
}
