using Portico.Core.Background;

namespace Portico.Core.Telegram;

/// <summary>One of Telegram's documents: what it says now, where that comes from, and where there is more.</summary>
internal sealed class ConfigPart<T>(string label, Uri? url, int limit, T first, RefreshSchedule schedule, Func<byte[], T?> read)
    where T : class
{
    /// <summary>The metric's label; the name of the copy in the data directory is made of it.</summary>
    public string Label => label;

    /// <summary>Null = never asked.</summary>
    public Uri? Url => url;

    /// <summary>Bytes that the document may have.</summary>
    public int Limit => limit;

    public RefreshSchedule Schedule => schedule;

    public T Value { get; private set; } = first;

    public ConfigSource Source { get; private set; } = ConfigSource.Embedded;

    public DateTimeOffset AsOf { get; private set; } = EmbeddedConfig.AsOf;

    /// <summary>The document in force had lines that could not be read.</summary>
    public bool HasFaults { get; set; }

    private string FileName => $"telegram-{label.Replace('_', '-')}";

    /// <summary>Takes over a document; false if it is none, and then nothing changes.</summary>
    public bool TryTake(byte[] body, ConfigSource source, DateTimeOffset asOf)
    {
        if (read(body) is not { } value) return false;
        (Value, Source, AsOf) = (value, source, asOf);
        return true;
    }

    /// <summary>Takes over the copy that an earlier run kept, if there is a good one.</summary>
    public void Load(FileCache cache)
    {
        if (url is not null && cache.TryRead(FileName, limit, out var body, out var asOf))
            TryTake(body, ConfigSource.Cached, asOf);
    }

    /// <summary>Keeps the document for the next start.</summary>
    /// <returns>Null, or why it could not be kept.</returns>
    public string? Keep(FileCache cache, byte[] body) => cache.Write(FileName, body, AsOf);
}
