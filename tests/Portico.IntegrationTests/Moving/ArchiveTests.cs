using System.Buffers.Binary;
using System.Text;
using Portico.Moving;
using Xunit;

namespace Portico.IntegrationTests.Moving;

/// <summary>Whatever happened to an archive on its way: it gives what was put in, or says that it does not.</summary>
public sealed class ArchiveTests
{
    private static readonly DateTimeOffset Time = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);

    private static readonly byte[] Phrase = "correct horse"u8.ToArray();

    // The key of a passphrase takes its time, by design.
    private static readonly byte[] Open = Write(null), Closed = Write(Phrase);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_was_put_in_comes_out(bool isProtected)
    {
        var large = new byte[(2 * ArchiveFormat.MostPieceLength) + 7];
        new Random(1).NextBytes(large);
        var archive = Write(isProtected ? Phrase : null, ("portico.json", "{}"u8.ToArray()), ("empty", []), ("large", large));

        var files = Read(archive, isProtected ? Phrase : null);

        Assert.Equal(["portico.json", "empty", "large"], files.Select(file => file.Name));
        Assert.Equal([Time, Time, Time], files.Select(file => file.AsOf));
        Assert.Equal("{}"u8.ToArray(), files[0].Content);
        Assert.Empty(files[1].Content);
        Assert.Equal(large, files[2].Content);
    }

    [Fact]
    public void A_file_that_grows_while_it_is_read_ends_where_it_ended()
    {
        var to = new MemoryStream();
        using (var writer = new ArchiveWriter(to, null))
        {
            Assert.Equal(3, writer.Add("seen", Time, new MemoryStream([1, 2, 3, 4, 5]), most: 3));
            Assert.Equal(2, writer.Add("shrunk", Time, new MemoryStream([1, 2]), most: 3));
            writer.Finish();
        }

        Assert.Equal(new byte[][] { [1, 2, 3], [1, 2] }, Read(to.ToArray(), null).Select(file => file.Content));
    }

    [Fact]
    public void Nothing_of_a_protected_archive_can_be_read_in_it()
    {
        Assert.Contains("a-secret-of-length", Encoding.Latin1.GetString(Open), StringComparison.Ordinal);
        Assert.DoesNotContain("a-secret-of-length", Encoding.Latin1.GetString(Closed), StringComparison.Ordinal);
        Assert.DoesNotContain("portico.json", Encoding.Latin1.GetString(Closed), StringComparison.Ordinal);
        Assert.NotEqual(Closed, Write(Phrase)); // each has a key of its own
    }

    [Fact]
    public void An_archive_that_was_cut_anywhere_is_not_whole()
    {
        for (var length = 0; length < Open.Length; length++) Assert.Throws<ArchiveException>(() => Read(Open[..length], null));
        Assert.Contains("goes on behind its end", Problem([.. Open, 0], null), StringComparison.Ordinal);
    }

    [Fact]
    public void A_byte_that_was_changed_anywhere_is_noticed()
    {
        for (var at = 0; at < Open.Length; at++)
        {
            var changed = Open.ToArray();
            changed[at] ^= 1;
            Assert.NotEmpty(Problem(changed, null));
        }
    }

    [Fact]
    public void A_protected_archive_that_was_changed_is_noticed()
    {
        // In the version, the salt, the first piece's kind, its length, its bytes, and in the last piece's seal.
        foreach (var at in (int[])[7, 9, 25, 26, 30, 40, Closed.Length - 1])
        {
            var changed = Closed.ToArray();
            changed[at] ^= 1;
            Assert.NotEmpty(Problem(changed, Phrase));
        }

        Assert.Contains("ends too early", Problem(Closed[..^1], Phrase), StringComparison.Ordinal);
    }

    [Fact]
    public void Pieces_that_changed_places_are_noticed()
    {
        var to = new MemoryStream();
        using (var writer = new ArchiveWriter(to, null))
        {
            writer.Add("one", Time, new MemoryStream(), 0);
            writer.Add("two", Time, new MemoryStream(), 0);
            writer.Finish();
        }

        var archive = to.ToArray();
        var length = ArchiveFormat.PieceHeaderLength + ArchiveFormat.TimeLength + 3 + ArchiveFormat.SealLength;
        var (first, second) = (ArchiveFormat.HeaderLength, ArchiveFormat.HeaderLength + length);
        var end = second + length;
        byte[] swapped = [.. archive[..first], .. archive[second..end], .. archive[first..second], .. archive[end..]];

        Assert.Equal(2, Read(archive, null).Count);
        Assert.StartsWith("was altered", Problem(swapped, null), StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_passphrase_a_missing_one_and_one_too_many_are_told_apart()
    {
        var wrong = Problem(Closed, "wrong"u8.ToArray());
        Assert.StartsWith("cannot be opened: the passphrase is another one", wrong, StringComparison.Ordinal);
        Assert.StartsWith("is protected by a passphrase", Problem(Closed, null), StringComparison.Ordinal);
        Assert.StartsWith("is not protected by a passphrase", Problem(Open, Phrase), StringComparison.Ordinal);
    }

    [Fact]
    public void A_newer_archive_and_what_is_none_say_so()
    {
        var newer = Open.ToArray();
        newer[ArchiveFormat.VersionOffset] = 2;
        Assert.Equal(
            "is of version 2, written by a newer Portico, and this one reads version 1; bring this one up to date", Problem(newer, null));
        Assert.Equal("is not what `portico export` writes", Problem("{ \"listeners\": [] }"u8.ToArray(), null));
        Assert.Equal("is not what `portico export` writes", Problem([], null));
    }

    [Fact]
    public void A_length_that_is_announced_takes_no_memory()
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var length in (uint[])[uint.MaxValue, int.MaxValue, ArchiveFormat.MostPieceLength + 1, ArchiveFormat.MostPieceLength])
        {
            var lying = Open.ToArray();
            BinaryPrimitives.WriteUInt32LittleEndian(lying.AsSpan(ArchiveFormat.HeaderLength + 1), length);
            Assert.NotEmpty(Problem(lying, null));
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2_000_000);
    }

    [Fact]
    public void A_file_that_is_longer_than_it_may_be_ends_the_reading()
    {
        using var reader = new ArchiveReader(new MemoryStream(Open), null);
        Assert.True(reader.TryNext(out _, out _));
        var to = new MemoryStream();
        Assert.Throws<ArchiveException>(() => reader.CopyTo(to, most: 3));
        Assert.Equal(0, to.Length);
    }

    private static byte[] Write(byte[]? passphrase) =>
        Write(passphrase, ("portico.json", "a-secret-of-length"u8.ToArray()), ("clients-seen.1", [1, 2, 3]));

    private static byte[] Write(byte[]? passphrase, params (string Name, byte[] Content)[] files)
    {
        var to = new MemoryStream();
        using var writer = new ArchiveWriter(to, passphrase);
        foreach (var (name, content) in files) writer.Add(name, Time, new MemoryStream(content), content.Length);
        writer.Finish();
        return to.ToArray();
    }

    private static string Problem(byte[] archive, byte[]? passphrase) =>
        Assert.Throws<ArchiveException>(() => Read(archive, passphrase)).Message;

    private static List<(string Name, DateTimeOffset AsOf, byte[] Content)> Read(byte[] archive, byte[]? passphrase)
    {
        var files = new List<(string, DateTimeOffset, byte[])>();
        using var reader = new ArchiveReader(new MemoryStream(archive), passphrase);
        while (reader.TryNext(out var name, out var asOf))
        {
            var content = new MemoryStream();
            reader.CopyTo(content);
            files.Add((name, asOf, content.ToArray()));
        }

        return files;
    }
}
