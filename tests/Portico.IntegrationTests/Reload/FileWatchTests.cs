using Portico.Reload;
using Xunit;

namespace Portico.IntegrationTests.Reload;

public sealed class FileWatchTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("portico-watch-");
    private readonly string _path;
    private readonly FileWatch _watch;

    public FileWatchTests()
    {
        _path = Path.Combine(_directory.FullName, "portico.json");
        File.WriteAllText(_path, "one");
        _watch = new FileWatch(_path, TimeProvider.System);
        _watch.Begin();
    }

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void A_file_that_says_the_same_has_not_changed()
    {
        File.WriteAllText(_path, "one");
        AssertUnchanged();
    }

    [Fact]
    public void A_write_in_place_counts_once_at_the_second_look()
    {
        File.WriteAllText(_path, "two");
        Assert.False(_watch.HasChanged());
        Assert.True(_watch.HasChanged());
        AssertUnchanged();
    }

    [Fact]
    public void A_file_written_in_halves_counts_when_it_is_whole()
    {
        File.WriteAllText(_path, "tw");
        Assert.False(_watch.HasChanged());
        File.AppendAllText(_path, "o");
        Assert.False(_watch.HasChanged());
        Assert.True(_watch.HasChanged());
    }

    [Fact]
    public void Another_file_moved_over_it_counts()
    {
        var other = Path.Combine(_directory.FullName, "other");
        File.WriteAllText(other, "two");
        File.SetLastWriteTimeUtc(other, File.GetLastWriteTimeUtc(_path)); // of the same age and length
        File.Move(other, _path, overwrite: true);
        AssertChangesOnce();
    }

    [Fact]
    public void A_link_that_is_turned_to_another_directory_counts_as_with_mounted_maps_of_configuration()
    {
        foreach (var (name, text) in (ReadOnlySpan<(string, string)>)[("first", "one"), ("second", "two")])
        {
            Directory.CreateDirectory(Path.Combine(_directory.FullName, name));
            File.WriteAllText(Path.Combine(_directory.FullName, name, "portico.json"), text);
        }

        var link = Path.Combine(_directory.FullName, "..data");
        Directory.CreateSymbolicLink(link, "first");
        File.Delete(_path);
        File.CreateSymbolicLink(_path, "..data/portico.json");
        _watch.Begin();
        AssertUnchanged();

        Directory.Delete(link);
        Directory.CreateSymbolicLink(link, "second");
        AssertChangesOnce();
    }

    [Fact]
    public void A_file_that_is_gone_for_a_while_has_not_changed_unless_it_says_something_else_when_it_is_back()
    {
        File.Delete(_path);
        AssertUnchanged();
        File.WriteAllText(_path, "one");
        AssertUnchanged();
        File.Delete(_path);
        AssertUnchanged();
        File.WriteAllText(_path, "two");
        AssertChangesOnce();
    }

    [Fact]
    public void Something_else_in_its_place_is_no_change()
    {
        File.Delete(_path);
        Directory.CreateDirectory(_path);
        AssertUnchanged();
        Directory.Delete(_path);
    }

    [Fact]
    public void A_change_that_is_taken_back_is_a_change()
    {
        File.WriteAllText(_path, "two");
        AssertChangesOnce();
        File.WriteAllText(_path, "one");
        AssertChangesOnce();
    }

    private void AssertChangesOnce()
    {
        var count = 0;
        for (var look = 0; look < 5; look++)
        {
            if (_watch.HasChanged()) count++;
        }

        Assert.Equal(1, count);
    }

    private void AssertUnchanged()
    {
        for (var look = 0; look < 5; look++) Assert.False(_watch.HasChanged());
    }
}
