using Portico.TestKit;
using Xunit;

namespace Portico.Storage.Tests.Children;

/// <summary>
/// A test on a small disk of its own, in memory and gone with its process: skipped where this machine lets nobody have one, unless
/// PORTICO_REQUIRE_TOOLS=1 says that nothing may be skipped.
/// </summary>
internal sealed class OwnDiskFactAttribute : FactAttribute
{
    public OwnDiskFactAttribute() => Skip = OwnDisk.WhyNot;
}
