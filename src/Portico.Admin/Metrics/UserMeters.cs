using System.Diagnostics.Metrics;
using Portico.Core.Control;

namespace Portico.Admin.Metrics;

/// <summary>Metrics of those users with the most bytes (<c>admin.userMetrics</c>). Read when metrics are asked for, not before.</summary>
internal sealed class UserMeters : IDisposable
{
    public const string MeterName = "Portico.Users";

    private readonly Meter _meter = new(MeterName);
    private readonly ProxyControl _control;
    private readonly int _most;
    private volatile UserStatus[] _users = [];

    /// <param name="control">The proxy.</param>
    /// <param name="most">How many users.</param>
    public UserMeters(ProxyControl control, int most)
    {
        (_control, _most) = (control, most);
        if (most == 0) return;
        _meter.CreateObservableGauge(
            "portico.user.connections", () => Each(user => user.Connections), "{connection}", "Sessions of a user that relay");
        _meter.CreateObservableCounter(
            "portico.user.received", () => Each(user => user.ReceivedBytes), "By", "Bytes from a user's clients");
        _meter.CreateObservableCounter("portico.user.sent", () => Each(user => user.SentBytes), "By", "Bytes to a user's clients");
    }

    /// <summary>Asks the loops; what they do not answer in time stays as it was.</summary>
    public async Task RefreshAsync()
    {
        if (_most == 0) return;
        try
        {
            // All at once: each page would look at every session again.
            if (await _control.UsersAsync(cursor: null, int.MaxValue).ConfigureAwait(false) is not { } all)
                return;
            _users = [.. all.Users.OrderByDescending(user => user.ReceivedBytes + user.SentBytes).Take(_most)];
        }
        catch (ProxyBusyException)
        {
            // told by healthz
        }
    }

    public void Dispose() => _meter.Dispose();

    private IEnumerable<Measurement<long>> Each(Func<UserStatus, long> read) => _users.Select(user => new Measurement<long>(
        read(user), new KeyValuePair<string, object?>("listener", user.Listener), new("user", user.Name)));
}
