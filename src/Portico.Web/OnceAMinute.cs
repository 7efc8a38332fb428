namespace Portico.Web;

/// <summary>Keeps a warning that strangers could bring about from filling the log. From any thread.</summary>
/// <param name="time">The clock.</param>
internal sealed class OnceAMinute(TimeProvider time)
{
    private readonly Lock _gate = new();
    private long? _last;

    /// <summary>Whether it was not said within the last minute; from now on it was.</summary>
    public bool IsDue()
    {
        lock (_gate)
        {
            if (_last is { } last && time.GetElapsedTime(last) < TimeSpan.FromMinutes(1))
                return false;
            _last = time.GetTimestamp();
            return true;
        }
    }
}
