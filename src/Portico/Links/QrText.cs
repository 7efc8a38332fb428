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
    /// <param name="colours">Set the colours as well; for terminals only.</param>
    public static string Draw(string text, bool colours)
    {
        // The lowest level of correction: a screen has no dirt, and a smaller code fits more terminals.
        using var code = QRCodeGenerator.GenerateQrCode(text, QRCodeGenerator.ECCLevel.L);
        using var drawing = new AsciiQRCode(code);
        var lines = drawing.GetGraphicSmall().Split('\n').Select(line => colours ? $"{WhiteOnBlack}{line}{Reset}\n" : $"{line}\n");
        return string.Concat(lines);
    }
}
