using Xunit;

namespace Portico.IntegrationTests.Commands;

/// <summary>A test of the native binary; `./check` publishes one and names it in PORTICO_EXECUTABLE.</summary>
internal sealed class NativeFactAttribute : FactAttribute
{
    public NativeFactAttribute()
    {
        if (PorticoExecutable.Native is null)
            Skip = "PORTICO_EXECUTABLE names no native binary; ./check publishes one";
    }
}
