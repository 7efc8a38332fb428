using Portico.Core.Background;
using Xunit;

namespace Portico.Core.Tests.Background;

/// <summary>A program with one migration meets directories of every version, and one without meets what the other has left.</summary>
public sealed class DataDirectoryVersionTests : IDisposable
{
    private static readonly DataDirectoryVersion Old = new([]), New = new([ToUpper]);

    private readonly string _directory = Directory.CreateTempSubdirectory("portico-test-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_directory_without_a_version_is_of_the_first_and_is_told_so_once()
    {
        Write("names", "anna");
        Old.Enter(_directory, mayWrite: true);
        Assert.Equal("1\n", Read("version"));
        Old.Enter(_directory, mayWrite: true);
        Assert.Equal(["names", "version"], Names());
    }

    [Fact]
    public void A_directory_that_can_only_be_read_gets_none()
    {
        New.Enter(_directory, mayWrite: false);
        Assert.Empty(Names());
    }

    [Fact]
    public void An_older_directory_is_changed_and_kept_inside_as_it_was()
    {
        Write("names", "anna");
        Write(DirectoryLock.Name, "");
        New.Enter(_directory, mayWrite: true);

        Assert.Equal(("ANNA", "2\n"), (Read("names"), Read("version")));
        Assert.Equal(["lock", "names", "version", "version-1"], Names());
        Assert.Equal("anna", Read("version-1/names"));

        Write("names", "BORIS");
        New.Enter(_directory, mayWrite: true); // once
        Assert.Equal("BORIS", Read("names"));
    }

    [Fact]
    public void The_old_program_says_why_it_does_not_start_again_and_starts_with_the_copy()
    {
        Write("names", "anna");
        New.Enter(_directory, mayWrite: true);

        var copy = Path.Combine(_directory, "version-1");
        var message = Assert.Throws<DataDirectoryVersionException>(() => Old.Enter(_directory, mayWrite: true)).Message;
        Assert.Equal(
            $"the data directory {_directory} is of version 2, written by a newer Portico, and this one understands versions up to 1; "
                + $"start the newer one, or set dataDirectory to {copy}, the copy that was kept before the change",
            message);
        Assert.Equal("ANNA", Read("names"));

        Old.Enter(copy, mayWrite: true);
        Assert.True(CopyMark.IsThere(copy)); // what was let in since is not in it
    }

    [Fact]
    public void Without_a_copy_another_directory_is_the_way()
    {
        Write("version", "7\n");
        Assert.EndsWith(
            "is of version 7, written by a newer Portico, and this one understands versions up to 2; start the newer one, "
                + "or give this one another dataDirectory: links stay the same, and what was learned begins anew",
            New.Problem(_directory), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("one")]
    [InlineData("99999999999")]
    [InlineData("1                                           ")]
    public void A_version_that_is_no_number_is_refused_and_nothing_is_touched(string text)
    {
        Write("version", text);
        Assert.Contains("does not hold the number", New.Problem(_directory), StringComparison.Ordinal);
        Assert.Throws<DataDirectoryVersionException>(() => New.Enter(_directory, mayWrite: true));
        Assert.Equal(text, Read("version"));
    }

    [Fact]
    public void A_change_that_was_cut_short_begins_again_with_what_was_there_before()
    {
        Write("names", "anna");
        var failing = new DataDirectoryVersion([directory =>
        {
            File.WriteAllText(Path.Combine(directory, "names"), "hal");
            throw new IOException("No space left on device");
        }]);
        for (var i = 0; i < 2; i++)
        {
            var message = Assert.Throws<DataDirectoryVersionException>(() => failing.Enter(_directory, mayWrite: true)).Message;
            Assert.Contains("could not be brought to version 2, No space left on device", message, StringComparison.Ordinal);
        }

        Assert.Equal("anna", Read("version-1/names"));
        Assert.Throws<DataDirectoryVersionException>(() => Old.Enter(_directory, mayWrite: true)); // half of it is of the newer one
        Assert.Equal("hal", Read("names"));
        New.Enter(_directory, mayWrite: true);
        Assert.Equal("ANNA", Read("names"));
        Assert.Equal(["names", "version", "version-1"], Names());
        Assert.False(CopyMark.IsThere(_directory));
    }

    [Fact]
    public void Who_went_back_to_the_copy_let_somebody_in_of_whom_the_newer_files_know_nothing()
    {
        Write("names", "anna");
        New.Enter(_directory, mayWrite: true);
        var copy = Path.Combine(_directory, "version-1");
        Old.Enter(copy, mayWrite: true);
        File.Delete(Path.Combine(copy, CopyMark.Name)); // as a process that began with it leaves it

        New.Enter(_directory, mayWrite: true);
        Assert.True(CopyMark.IsThere(_directory));
        Assert.True(CopyMark.IsThere(copy));
        File.Delete(Path.Combine(_directory, CopyMark.Name));
        New.Enter(_directory, mayWrite: true); // once
        Assert.False(CopyMark.IsThere(_directory));
    }

    [Fact]
    public void What_belongs_to_a_running_process_is_not_copied()
    {
        Write("names", "anna");
        foreach (var name in new[] { "running", "holder", "lock", "names.partial", "admin.sock" }) Write(name, "");
        New.Enter(_directory, mayWrite: true);
        Assert.Equal(
            ["copied", "names"], Directory.GetFiles(Path.Combine(_directory, "version-1")).Select(path => Path.GetFileName(path)).Order());
    }

    [Fact]
    public void A_copy_of_an_earlier_visit_makes_room_for_the_new_one()
    {
        Write("names", "anna");
        New.Enter(_directory, mayWrite: true);
        Write("version", "1\n"); // back by hand, and forth again
        Write("names", "boris");
        New.Enter(_directory, mayWrite: true);
        Assert.Equal(("BORIS", "boris"), (Read("names"), Read("version-1/names")));
    }

    private static void ToUpper(string directory)
    {
        var path = Path.Combine(directory, "names");
        File.WriteAllText(path, File.ReadAllText(path).ToUpperInvariant());
    }

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_directory, name), text);

    private string Read(string name) => File.ReadAllText(Path.Combine(_directory, name));

    private string[] Names() =>
        [.. Directory.GetFileSystemEntries(_directory).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
}
