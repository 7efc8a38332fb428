using Portico.Admin.Overview;
using Portico.Core;
using Portico.Core.Options;

namespace Portico.Alerts;

/// <summary>What one receiver is to be told, from the time that the settings name it until they name another.</summary>
internal sealed class AlertRound : IDisposable
{
    private static readonly TimeSpan SlowPeriod = TimeSpan.FromMinutes(1);

    private readonly PorticoProxy _proxy;
    private readonly TimeProvider _time;
    private readonly TrafficMinutes _minutes;
    private readonly ProxyStates _states;
    private readonly CertificateEnds _certificates = new();
    private readonly UserMarks _users;
    private readonly CancellationTokenSource _over = new();
    private long? _lastSlow;

    /// <param name="to">The receiver.</param>
    /// <param name="proxy">What is looked at.</param>
    /// <param name="isFirst">The process begins with it.</param>
    /// <param name="time">The clock.</param>
    public AlertRound(WebhookAddress to, PorticoProxy proxy, bool isFirst, TimeProvider time)
    {
        (To, _proxy, _time) = (to, proxy, time);
        Board = new AlertBoard(time);
        _minutes = new TrafficMinutes(proxy.Control, time, Verdict.Minutes);
        _states = new ProxyStates(proxy.Control, _minutes);
        _users = new UserMarks(isFirst ? time.GetUtcNow() : null);
        Over = _over.Token;
    }

    /// <summary>Who is told.</summary>
    public WebhookAddress To { get; }

    /// <summary>What.</summary>
    public AlertBoard Board { get; }

    /// <summary>Somebody else is told from now on.</summary>
    public CancellationToken Over { get; }

    /// <summary>Looks at states, and once a minute at what takes longer.</summary>
    public void Look()
    {
        _states.Look(Board, _time.GetUtcNow());
        if (_lastSlow is { } last && _time.GetElapsedTime(last) < SlowPeriod) return;
        _lastSlow = _time.GetTimestamp();
        LookAtUsers();
        Board.Put(AlertKinds.CertificateExpires, _certificates.Look(_proxy.Settings, _time.GetUtcNow()));
    }

    /// <summary>Looks at users.</summary>
    public void LookAtUsers() => _users.Look(_proxy.Control.ManagedUsers.NearLimits(UserMarks.Percent, UserMarks.Ahead), Board.Add);

    public void Dispose()
    {
        _over.Cancel();
        _minutes.Dispose();
        _over.Dispose();
    }
}
