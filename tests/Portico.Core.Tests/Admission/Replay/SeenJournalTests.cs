using System.Buffers.Binary;
using Portico.Core.Admission.Replay;
using Xunit;

namespace Portico.Core.Tests.Admission.Replay;

public sealed class SeenJournalTests : IDisposable
{
    private const long Now = 1_800_000_000;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("portico-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void What_was_written_is_read_again_under_the_same_key()
    {
        byte[] key;
        using (var journal = Open())
        {
            key = [.. journal.Key];
            Write(journal, 0, 10_000);
        }

        using var next = Open();
        Assert.Equal(key, next.Key);
        Assert.Equal(Numbers(0, 10_000), Items);
        Write(next, 10_000, 5);
        using var last = Open();
        Assert.Equal(Numbers(0, 10_005), Items);
        Assert.Single(_directory.GetFiles());
        Assert.Equal(_directory.GetFiles()[0].Length, last.Bytes);
    }

    [Fact]
    public void A_file_that_is_cut_anywhere_loses_the_unfinished_write_alone_and_goes_on()
    {
        using (var journal = Open())
        {
            Write(journal, 0, 3);
            Write(journal, 3, 2);
        }

        var path = _directory.GetFiles()[0].FullName;
        var whole = File.ReadAllBytes(path);
        Assert.Equal(32 + 16 + 24 + 16 + 16, whole.Length);
        for (var length = 0; length < whole.Length; length++)
        {
            foreach (var file in _directory.GetFiles()) file.Delete();
            File.WriteAllBytes(path, whole[..length]);
            var kept = length < 72 ? 0 : 3;
            using (var journal = Open())
            {
                Assert.False(IsDamaged);
                Assert.Equal(Numbers(0, kept), Items);
                Write(journal, 100, 1);
            }

            using var next = Open();
            Assert.False(IsDamaged);
            Assert.Equal([.. Numbers(0, kept), 100], Items);
        }
    }

    [Fact]
    public void A_byte_that_was_changed_loses_its_frame_alone_and_is_told()
    {
        using (var journal = Open())
        {
            Write(journal, 0, 3);
            Write(journal, 3, 2);
        }

        var path = _directory.GetFiles()[0].FullName;
        var whole = File.ReadAllBytes(path);
        for (var at = 0; at < 72; at++)
        {
            if (at is >= 28 and < 32) continue; // a hint
            whole[at] ^= 1;
            File.WriteAllBytes(path, whole);
            using var journal = Open();
            Assert.True(IsDamaged);
            Assert.Equal(at < 32 ? [] : Numbers(3, 2), Items);
            whole[at] ^= 1;
        }
    }

    [Fact]
    public void Many_items_are_kept_in_files_of_which_the_oldest_goes()
    {
        using (var journal = Open(new JournalLimits(3200, long.MaxValue, long.MaxValue)))
        {
            for (var i = 0; i < 100; i++) Write(journal, i * 100, 100);
            Assert.InRange(_directory.GetFiles().Length, 30, 34);
        }

        using var next = Open();
        Assert.InRange(Items.Count, 3200, 3300);
        Assert.Equal(Numbers(10_000 - Items.Count, Items.Count), Items);
    }

    [Fact]
    public void The_files_take_no_more_than_they_may()
    {
        const long most = 4 << 20;
        using var journal = Open(new JournalLimits(long.MaxValue, most, long.MaxValue));
        for (var i = 0; i < 200; i++)
        {
            Write(journal, i * 4096, 4096);
            Assert.InRange(_directory.GetFiles().Sum(file => file.Length), 0, most);
        }

        Assert.Equal(_directory.GetFiles().Sum(file => file.Length), journal.Bytes);
        using var next = Open();
        Assert.InRange(Items.Count, 400_000, 524_288);
        Assert.Equal(200UL * 4096 - 1, Items[^1]);
    }

    [Fact]
    public void Files_that_are_too_old_go()
    {
        using var journal = Open(new JournalLimits(long.MaxValue, long.MaxValue, MaxSeconds: 6400));
        for (var i = 0; i < 200; i++) Write(journal, i, 1, Now + (i * 100));
        using var next = Open();
        Assert.InRange(Items.Count, 64, 66);
        Assert.Equal(199UL, Items[^1]);
    }

    [Fact]
    public void What_cannot_be_written_waits_and_what_is_too_much_is_counted()
    {
        using var journal = Open(queue: 100);
        var path = _directory.FullName;
        _directory.Delete();
        File.WriteAllText(path, "a file where the directory should be");
        for (var i = 0; i < 90; i++) journal.Add((ulong)i, Now);
        Assert.NotNull(journal.Write(sync: true));
        for (var i = 90; i < 180; i++) journal.Add((ulong)i, Now);
        Assert.NotNull(journal.Write(sync: true));
        Assert.Equal(0, journal.Dropped);
        for (var i = 180; i < 300; i++) journal.Add((ulong)i, Now);
        Assert.Equal(110, journal.Dropped); // 90 wait to be written again, and 100 behind them

        File.Delete(path);
        Assert.Null(journal.Write(sync: true));
        Assert.Equal(110, journal.Dropped);
        using var next = Open();
        Assert.Equal(Numbers(0, 190), Items);
    }

    [Theory]
    [InlineData("seen")]
    [InlineData("seen.")]
    [InlineData("seen.x")]
    [InlineData("seen.1.partial")]
    public void A_file_without_a_number_is_no_part_of_it(string name)
    {
        File.WriteAllText(Path.Combine(_directory.FullName, name), new string('x', 100));
        using (var journal = Open()) Write(journal, 0, 3);
        using var next = Open();
        Assert.False(IsDamaged);
        Assert.Equal(Numbers(0, 3), Items);
    }

    [Fact]
    public void Files_of_another_key_or_kind_stay_and_are_told()
    {
        using (var journal = Open()) Write(journal, 0, 3);
        File.Copy(Path.Combine(_directory.FullName, "seen.1"), Path.Combine(_directory.FullName, "old"));
        File.Delete(Path.Combine(_directory.FullName, "seen.1"));
        using (var journal = Open()) Write(journal, 10, 3);
        File.Move(Path.Combine(_directory.FullName, "seen.1"), Path.Combine(_directory.FullName, "seen.2"));
        File.Move(Path.Combine(_directory.FullName, "old"), Path.Combine(_directory.FullName, "seen.1"));
        File.WriteAllText(Path.Combine(_directory.FullName, "seen.3"), new string('x', 100));

        using var next = Open();
        Assert.True(IsDamaged);
        Assert.Equal(Numbers(10, 3), Items);
        Write(next, 20, 1);
        Assert.Equal(["seen.1", "seen.2", "seen.3", "seen.4"], _directory.GetFiles().Select(file => file.Name).Order());
    }

    private List<ulong> Items { get; } = [];

    private bool IsDamaged { get; set; }

    private static List<ulong> Numbers(int from, int count) => [.. Enumerable.Range(from, count).Select(i => (ulong)i)];

    private static void Write(SeenJournal journal, int from, int count, long unixSeconds = Now)
    {
        for (var i = 0; i < count; i++) journal.Add((ulong)(from + i), unixSeconds);
        Assert.Null(journal.Write(sync: false));
    }

    // As a start does it.
    private SeenJournal Open(JournalLimits? limits = null, int queue = 20_000)
    {
        var journal = new SeenJournal(_directory.FullName, "seen", limits ?? JournalLimits.None, queue);
        Items.Clear();
        IsDamaged = journal.Find().IsDamaged;
        IsDamaged |= journal.Read(
            () => { },
            bytes =>
            {
                for (; bytes.Length > 0; bytes = bytes[8..]) Items.Add(BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            },
            _ => { });
        return journal;
    }
}
