using System.Diagnostics;
using Portico.Import;
using Portico.TestKit;
using Xunit;

namespace Portico.IntegrationTests.Import;

/// <summary>Files that are cut, deep or huge give a configuration or errors, soon.</summary>
public class HostileFileTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static TheoryData<string, string> Files
    {
        get
        {
            var folder = Path.Combine(RepositoryRoot.Path, "tests", "Portico.IntegrationTests", "Import", "Files");
            var files = new TheoryData<string, string>();
            foreach (var path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
                files.Add(Path.GetFileName(Path.GetDirectoryName(path)!), path);
            return files;
        }
    }

    public static TheoryData<string> Sources => [.. ImportSource.Names];

    [Theory]
    [MemberData(nameof(Files))]
    public void A_file_that_is_cut_anywhere_gives_a_configuration_or_an_error(string from, string path)
    {
        var text = File.ReadAllText(path);

        Assert.NotNull(ImportSource.Convert(from, text).Text);
        for (var length = 0; length < text.Length; length++)
        {
            var result = ImportSource.Convert(from, text[..length]);
            Assert.Equal(result.Text is null, result.Errors.Count > 0);
        }
    }

    [Theory]
    [MemberData(nameof(Sources))]
    public void Depth_and_size_end_with_an_error_soon(string from)
    {
        const int Many = 1_000_000;
        string[] starts = ["", "[{mtproto_proxy,[{ports,", "USERS = ", "secret = ", "mtproto-proxy -H 443 -S "];
        string[] parts =
            ["[", "{", "(", "#{a=>", "{'a':", "{a=", "\"", "'", "<<", "a.", "\\\n", "x = 1\n", "[a]\n", "[[a]]\n", "-S ", "$", "\0", "a,",
                "[a.", "=", "#\n", " "];
        var watch = Stopwatch.StartNew();
        foreach (var start in starts)
        {
            foreach (var part in parts)
            {
                var result = ImportSource.Convert(from, start + string.Concat(Enumerable.Repeat(part, Many / part.Length)));
                Assert.NotEmpty(result.Errors);
            }
        }

        Assert.True(watch.Elapsed < Patience, $"{watch.Elapsed} for {starts.Length * parts.Length} files");
    }

    [Fact]
    public void A_hundred_thousand_users_are_converted()
    {
        var users = string.Concat(Enumerable.Range(1, 100_000).Select(i => $"user{i} = \"{i:x32}\"\n"));

        var result = ImportSource.Convert("telemt", $"[access.users]\n{users}");

        Assert.Equal([], result.Errors);
        Assert.Contains("\"user100000\"", result.Text!, StringComparison.Ordinal);
    }
}
