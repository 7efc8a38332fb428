using System.Text.Json;
using System.Text.Json.Serialization;
using Portico.Core.Background;
using Portico.Core.Options;

namespace Portico.Core.Admission.Policy;

/// <summary>What was changed in tables while the proxy ran, in the data directory: differences from the configuration.</summary>
/// <param name="directory">Data directory; empty = nothing is kept.</param>
internal sealed class KeptTables(string directory)
{
    public const string FileName = "policy-tables.json";

    private const int Limit = 64 * 1024 * 1024;

    /// <summary>Changes that an earlier run has left.</summary>
    /// <param name="problem">What of it could not be understood; null = nothing.</param>
    public IReadOnlyDictionary<string, TableContent> Read(out string? problem)
    {
        var tables = new Dictionary<string, TableContent>(StringComparer.Ordinal);
        problem = null;
        if (directory.Length == 0 || !File.Exists(Path.Combine(directory, FileName))) return tables;
        if (!new FileCache(directory).TryRead(FileName, Limit, out var body, out _))
        {
            problem = "it cannot be read, or is longer than any that was written";
            return tables;
        }

        try
        {
            var left = 0;
            foreach (var kept in JsonSerializer.Deserialize(body, KeptTablesJson.Default.KeptTableFile)?.Tables ?? [])
            {
                // What an array holds is not checked for null by the serializer.
                if (kept is not null && TryRestore(kept, out var content))
                    tables[kept.Name] = content;
                else left++;
            }

            if (left > 0) problem = $"{left} tables in it were not understood";
        }
        catch (JsonException)
        {
            problem = "it is spoilt, or of another version";
        }

        return tables;
    }

    /// <summary>Replaces the file.</summary>
    /// <returns>Null, or why it could not be written.</returns>
    public string? Write(IEnumerable<KeyValuePair<string, TableContent>> tables)
    {
        if (directory.Length == 0) return null;
        var file = new KeptTableFile { Tables = [.. tables.Where(table => table.Value.Changes > 0).Select(Keep)] };
        return KeptFile.Replace(
            directory, FileName, stream => JsonSerializer.Serialize(stream, file, KeptTablesJson.Default.KeptTableFile));
    }

    /// <summary>Puts a file aside that was not understood: the next one must not be all that is left of it.</summary>
    public void PutAside() => _ = KeptFile.Guard(() =>
    {
        var path = Path.Combine(directory, FileName);
        File.Move(path, path + ".damaged", overwrite: true);
    });

    private static KeptTable Keep(KeyValuePair<string, TableContent> table)
    {
        var key = table.Value.Key;
        return new KeptTable
        {
            Name = table.Key,
            Key = key.ToString(),
            Added = [.. table.Value.Added.Select(value => PolicyValue.Show(key, value))],
            Removed = [.. table.Value.Removed.Select(value => PolicyValue.Show(key, value))],
        };
    }

    // The removed ones are values of a configuration that is not known here: they stand in for it.
    private static bool TryRestore(KeptTable kept, out TableContent content)
    {
        content = null!;
        if (!PolicyKey.TryParse(kept.Key, out var key, out _)
            || !PolicyValue.TryParseAll(key, kept.Added, out var added, out _)
            || !PolicyValue.TryParseAll(key, kept.Removed, out var removed, out _))
            return false;
        content = TableContent.Of(key, removed, added, removed);
        return true;
    }
}

/// <summary>The whole file.</summary>
internal sealed class KeptTableFile
{
    public KeptTable[] Tables { get; set; } = [];
}

/// <summary>The changes of one table.</summary>
internal sealed class KeptTable
{
    public string Name { get; set; } = "";

    public string Key { get; set; } = "";

    public string[] Added { get; set; } = [];

    public string[] Removed { get; set; } = [];
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true,
    WriteIndented = true, GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(KeptTableFile))]
internal sealed partial class KeptTablesJson : JsonSerializerContext;
