using Portico.TestKit;
using Xunit;

namespace Portico.Storage.Tests.Children;

/// <summary>A disk without room: a sentence each time, and everything is there once there is room again.</summary>
public sealed class FullDiskTests
{
    [OwnDiskFact]
    public async Task What_a_full_disk_does_not_take_it_takes_later()
    {
        using var file = new FileUnderTest();
        using var child = Child.Start(
            OwnDisk.Command(file.Directory, 8, Child.Command(FullDiskChild.Verb, file.Directory)));

        var lines = (await child.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        var full = $"there is no room on the disk to write {file.Path}; make room";
        Assert.Equal(
            [full, full, full, full, "history 1", "done", "history 5", "users 1", "done", "users 1", "done", "done"], lines);
    }
}
