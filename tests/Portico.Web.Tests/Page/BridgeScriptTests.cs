using System.Text;
using System.Text.RegularExpressions;
using Portico.Web.Page;
using Xunit;

namespace Portico.Web.Tests.Page;

/// <summary>The script of the bridge page as text.</summary>
public sealed partial class BridgeScriptTests
{
    private static readonly string Text = Read();

    [Fact]
    public void It_is_not_long() => Assert.InRange(Encoding.UTF8.GetByteCount(Text), 1, 24 * 1024);

    [Fact]
    public void It_uses_nothing_that_an_app_blocks()
    {
        Assert.Empty(Blocked().Matches(Text).Select(match => match.Value));
        // A timer that comes again is for what an app is told, never for frames.
        Assert.Equal(1, Text.Split("setInterval").Length - 1);
    }

    [Fact]
    public void A_line_fits_on_a_screen() => Assert.All(Text.Split('\n'), line => Assert.True(line.Length <= 140, line));

    private static string Read()
    {
        using var reader = new StreamReader(typeof(BridgePage).Assembly.GetManifestResourceStream("bridge.js")!);
        return reader.ReadToEnd();
    }

    [GeneratedRegex(
        @"\beval\b|\bFunction\(|\bimport\b|sendBeacon|Storage\b|indexedDB|\bcaches\b|cookie\b|Worker|BroadcastChannel|WebAssembly|RTCPeer"
        + @"|WebTransport|innerHTML|createElement|location\.(href|assign|replace|reload)|window\.open|<!--|</")]
    private static partial Regex Blocked();
}
