using System.Globalization;
using Xunit;

namespace Portico.Fuzz.Checking;

public sealed class GuardedMemoryTests
{
    [Fact]
    public void An_input_ends_where_the_kernel_allows_no_access()
    {
        if (!GuardedMemory.IsSupported) return;
        using var memory = new GuardedMemory();
        memory.Span.Fill(1);

        Assert.Equal("---p", RightsAt(memory.End));
        Assert.Equal("rw-p", RightsAt(memory.End - 1));
        Assert.Equal("---p", RightsAt(memory.End - memory.Span.Length - 1));
    }

    // A line of the kernel's list: begin-end rights ...
    private static string RightsAt(nint address) =>
        (from line in File.ReadLines("/proc/self/maps")
         let fields = line.Split(' ', '-')
         where Hex(fields[0]) <= address && address < Hex(fields[1])
         select line.Split(' ')[1]).First();

    private static nint Hex(string text) =>
        nint.TryParse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var value) ? value : nint.MaxValue;
}
