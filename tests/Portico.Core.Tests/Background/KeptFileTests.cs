using Portico.Core.Background;
using Xunit;

namespace Portico.Core.Tests.Background;

public sealed class KeptFileTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("portico-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void On_a_full_disk_the_old_file_stays_and_nothing_of_the_new_one()
    {
        Assert.Null(KeptFile.Replace(_directory.FullName, "kept", file => file.Write("old"u8)));
        var problem = KeptFile.Replace(_directory.FullName, "kept", file =>
        {
            file.Write(new byte[100_000]);
            throw new IOException("No space left on device");
        });
        Assert.Equal("No space left on device", problem);
        Assert.Equal("old", File.ReadAllText(Assert.Single(_directory.GetFiles()).FullName));
    }
}
