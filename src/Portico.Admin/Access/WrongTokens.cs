using System.Net;

namespace Portico.Admin.Access;

/// <summary>
/// Counts wrong tokens by address: a token cannot be guessed, but whoever tries shall neither fill the log nor take our time.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class WrongTokens(TimeProvider time)
{
    /// <summary>Wrong tokens of an address before it has to wait.</summary>
    public const int Burst = 10;

    /// <summary>Between two more.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    // Beyond that, all others are one: memory stays small whoever comes.
    private const int MostAddresses = 1024;

    private readonly Lock _gate = new();

    // When all wrong tokens of an address will be forgotten: each adds one pause.
    private readonly Dictionary<IPAddress, DateTimeOffset> _free = [];

    /// <summary>Whether an address must wait, and for how long.</summary>
    public bool MustWait(IPAddress address, out TimeSpan wait)
    {
        lock (_gate)
        {
            wait = _free.TryGetValue(KeyOf(address), out var free) ? free - time.GetUtcNow() - ((Burst - 1) * Pause) : TimeSpan.Zero;
            return wait > TimeSpan.Zero;
        }
    }

    /// <summary>One came.</summary>
    public void Note(IPAddress address)
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            if (_free.Count >= MostAddresses) Forget(now);
            var key = KeyOf(address);
            var free = _free.TryGetValue(key, out var before) && before > now ? before : now;
            _free[key] = free + Pause;
        }
    }

    private IPAddress KeyOf(IPAddress address) =>
        _free.Count < MostAddresses || _free.ContainsKey(address) ? address : IPAddress.Any;

    private void Forget(DateTimeOffset now)
    {
        foreach (var (address, free) in _free.ToArray())
        {
            if (free <= now) _free.Remove(address);
        }
    }
}
