using System.Runtime.InteropServices;
using Portico.Protocol.Crypto;
using Xunit;

namespace Portico.Protocol.Tests.Crypto;

/// <summary>
/// Which twin runs: otherwise a run without the processor's
/// instructions could test the wrong one and nobody would see it.
/// </summary>
public sealed class ProcessorTests
{
    [Fact]
    public void Ciphers_use_what_the_processor_has_unless_the_runtime_was_told_to_do_without()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
            return;
        var flags = File.ReadLines("/proc/cpuinfo").First(line => line.StartsWith("flags", StringComparison.Ordinal)).Split(' ');
        var isAllowed = Environment.GetEnvironmentVariable("DOTNET_EnableHWIntrinsic") != "0";

        Assert.Equal(isAllowed && flags.Contains("aes") && flags.Contains("ssse3"), AesRoundKeys.IsSupported);
        Assert.Equal(isAllowed && flags.Contains("pclmulqdq"), Crc32.IsFoldingSupported);
    }
}
