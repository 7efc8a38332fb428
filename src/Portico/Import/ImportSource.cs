using System.Text;
using System.Text.Json.Nodes;
using Portico.Configuration;
using Portico.Import.Reading;
using Portico.Import.Sources;

namespace Portico.Import;

/// <summary>
/// Another proxy, whose file becomes a configuration of ours that keeps its links working. One object converts one file:
/// the rules put what they read into its fields, and <see cref="Finish"/> makes listeners of them.
/// </summary>
internal abstract class ImportSource
{
    /// <summary>Bytes that a file may have: a hundred thousand users fit.</summary>
    public const int LongestFile = 16 * 1024 * 1024;

    private static readonly Func<ImportSource>[] Makers =
        [() => new ErlangSource(), () => new MtProxySource(), () => new MtProtoProxySource(), () => new MtgSource(), () =>
            new TelemtSource()];

    /// <summary>As <c>--from</c> names it.</summary>
    public abstract string Name { get; }

    /// <summary>As people call it, with whose it is.</summary>
    public abstract string Title { get; }

    /// <summary>Every key that it has, and what becomes of it.</summary>
    public abstract IReadOnlyList<KeyRule> Rules { get; }

    /// <summary>What is told, and what is wrong.</summary>
    protected Conversion Told { get; } = new();

    /// <summary>The names that <c>--from</c> takes.</summary>
    public static string[] Names { get; } = [.. Makers.Select(make => make().Name)];

    /// <summary>One of each, for the pages.</summary>
    public static IEnumerable<ImportSource> All => Makers.Select(make => make());

    /// <summary>Converts one file. Never throws: what is wrong is in the result.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="text">The file.</param>
    public static ImportResult Convert(string name, string text) => All.First(source => source.Name == name).Convert(text);

    /// <summary>Reads the file: the map that the rules are about.</summary>
    /// <exception cref="ForeignFormatException">It is not such a file.</exception>
    protected abstract ForeignValue Read(string text);

    /// <summary>Makes listeners of what was read.</summary>
    protected abstract void Finish();

    /// <summary>A whole number that is ours as it is.</summary>
    protected KeyRule Number(string key, string path, string remark = "") => new(key, path, remark, value =>
    {
        if (Told.Number(value, key) is { } number) Told.SetNumber(path, number, value.Line, key);
    });

    /// <summary>A yes or no that is ours as it is.</summary>
    protected KeyRule Flag(string key, string path, string remark = "") => new(key, path, remark, value =>
    {
        if (Told.Flag(value, key) is { } flag) Told.Set(path, flag);
    });

    /// <summary>A text that is ours as it is.</summary>
    protected KeyRule Text(string key, string path, string remark = "") => new(key, path, remark, value =>
    {
        if (Told.Text(value, key) is { Length: > 0 } text) Told.Set(path, text);
    });

    /// <summary>A key without a counterpart.</summary>
    protected static KeyRule None(string key, string remark) => new(key, "", remark);

    /// <summary>Where the cover is, and that there is one.</summary>
    protected void SetCover(string target)
    {
        Told.Set("cover.mode", "fixed");
        Told.Set("cover.target", target);
    }

    private ImportResult Convert(string text)
    {
        try
        {
            var unknown = $"is no key of {Name} that is known here; if it matters, look for ours in docs/configuration.md";
            if (!Told.Apply(Read(text), Rules, unknown))
                Told.Fail(0, "", $"the file has no key of {Name}: is it one of that proxy?");
            if (Told.Errors.Count == 0) Finish();
        }
        catch (ForeignFormatException problem)
        {
            Told.Fail(problem.Line, "", problem.Message);
        }

        var written = Written();
        if (Told.Errors.Count == 0)
        {
            // Each value was looked at where it stands; what only shows in the whole is told with our keys.
            foreach (var error in LoadedConfiguration.Load(written, "/", []).Errors)
                Told.Fail(0, "", $"what would be written is wrong: {error}");
        }

        return new ImportResult(Told.Errors.Count == 0 ? written : null, Told.Errors, Told.Left, Told.Remarks);
    }

    private string Written()
    {
        var root = new JsonObject { ["listeners"] = new JsonArray([.. Told.Listeners.Select(listener => listener.ToJson())]) };
        foreach (var (key, value) in Told.Rest) root[key] = value?.DeepClone();
        return new StringBuilder($"// Written by `portico import-config --from {Name}`. Every key is described in docs/configuration.md.\n")
            .Append(JsonText.Indented(root)).Append('\n').ToString();
    }
}

/// <summary>What came of a file.</summary>
/// <param name="Text">The configuration; null after an error.</param>
/// <param name="Errors">What kept it from being converted.</param>
/// <param name="Left">Keys without a counterpart.</param>
/// <param name="Remarks">What is taken over and needs a look.</param>
internal sealed record ImportResult(
    string? Text, IReadOnlyList<ImportNote> Errors, IReadOnlyList<ImportNote> Left, IReadOnlyList<ImportNote> Remarks)
{
    /// <summary>Nothing of it: it holds secrets.</summary>
    public override string ToString() => nameof(ImportResult);
}
