namespace Portico.Core.Telegram;

/// <summary>What changed when a configuration was replaced.</summary>
/// <param name="Old">The one before.</param>
/// <param name="New">The one in force.</param>
internal sealed record MiddleProxyConfigChange(MiddleProxyConfig Old, MiddleProxyConfig New);

/// <summary>
/// Where the middle proxies are. Loops read <see cref="Current"/> whenever they open a link;
/// one writer replaces it. Links and sessions that exist are never touched by that.
/// </summary>
internal sealed class MiddleProxyDirectory(MiddleProxyConfig first)
{
    private volatile MiddleProxyConfig _current = first;

    /// <summary>The configuration in force; for every thread.</summary>
    public MiddleProxyConfig Current => _current;

    /// <summary>
    /// For those who have to act, such as pools of data centres that are new. Called after each replacement
    /// that leads elsewhere, on the thread of the writer and never on a loop: post, and do not throw.
    /// </summary>
    public event Action<MiddleProxyConfigChange>? Changed;

    /// <summary>Replaces the configuration. One writer at a time.</summary>
    public void Publish(MiddleProxyConfig config)
    {
        var old = _current;
        _current = config;
        if (!config.LeadsToTheSameAs(old))
            Changed?.Invoke(new MiddleProxyConfigChange(old, config));
    }
}
