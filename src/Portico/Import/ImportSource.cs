using System.Text;
using System.Text.Json.Nodes;
using Portico.Configuration;
using Portico.Core.Options;
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

    // Every start of the program asks for the names: no source is made for that.
    private static readonly (string Name, Func<ImportSource> Make)[] Makers =
    [
        (ErlangSource.From, () => new ErlangSource()),
        (MtProxySource.From, () => new MtProxySource()),
        (MtProtoProxySource.From, () => new MtProtoProxySource()),
        (MtgSource.From, () => new MtgSource()),
        (TelemtSource.From, () => new TelemtSource()),
    ];

    /// <summary>As <c>--from</c> names it.</summary>
    public abstract string Name { get; }

    /// <summary>As people call it, with whose it is.</summary>
    public abstract string Title { get; }

    /// <summary>Every key that it has, and what becomes of it.</summary>
    public abstract IReadOnlyList<KeyRule> Rules { get; }

    /// <summary>What the page about it says beside its keys; null = that page is written by hand.</summary>
    public abstract MigrationWords? Words { get; }

    /// <summary>What is told, and what is wrong.</summary>
    protected Conversion Told { get; } = new();

    /// <summary>The names that <c>--from</c> takes.</summary>
    public static string[] Names { get; } = [.. Makers.Select(it => it.Name)];

    /// <summary>One of each, for the pages.</summary>
    public static IEnumerable<ImportSource> All => Makers.Select(it => it.Make());

    /// <summary>Converts one file. Never throws: what is wrong is in the result.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="text">The file.</param>
    public static ImportResult Convert(string name, string text) => Array.Find(Makers, it => it.Name == name).Make().Convert(text);

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

    /// <summary>Whether clients' clocks are left alone.</summary>
    protected KeyRule IgnoresTime(string key) => new(key, "fakeTls.timeWindow.enabled", "the opposite", value =>
    {
        if (Told.Flag(value, key) is true) Told.Set("fakeTls.timeWindow.enabled", false);
    });

    /// <summary>A key without a counterpart.</summary>
    protected static KeyRule None(string key, string remark) => new(key, "", remark);

    /// <summary>Where the cover is, and that there is one.</summary>
    protected void SetCover(string target)
    {
        Told.Set("cover.mode", "fixed");
        Told.Set("cover.target", target);
    }

    /// <summary>Every network, of proxies that believe a PROXY header from anywhere.</summary>
    protected static string[] Everywhere { get; } = ["0.0.0.0/0", "::/0"];

    /// <summary>Tells that they may be fewer.</summary>
    protected void RemarkEverywhere(int line, string key) => Told.Remark(
        line, key,
        "every network may say who its clients are, as before: put that of your balancer into listeners[].proxyProtocol.trusted");

    /// <summary>What a listener is to speak.</summary>
    protected static string[] Protocols(bool isTls, bool isSecure, bool isClassic) =>
        [.. new[] { isTls ? "fake-tls" : null, isSecure ? "secure" : null, isClassic ? "classic" : null }.OfType<string>()];

    /// <summary>A number of clients, as near to it as ours may be.</summary>
    protected static int Clients(long number) => (int)Math.Clamp(number, 1, 10_000_000);

    /// <summary>The date up to which a user may come: those whose date is over are put into <paramref name="ended"/>.</summary>
    protected void TakeEnd(string user, bool isOver, int line, string key, HashSet<string> ended)
    {
        if (isOver) ended.Add(user);
        else Told.Left.Add(new(line, key, $"the date of {ShownText.Quote(user)} is to come: set enabled to false then"));
    }

    /// <summary>Ad tags of users, by their names.</summary>
    protected void TakeTags(ForeignValue value, string key, Dictionary<string, string> tags)
    {
        foreach (var (name, tag) in value.Entries)
        {
            if (Told.AdTag(tag, key) is { } digits) tags[name] = digits;
        }
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
