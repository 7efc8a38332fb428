using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Portico.Core;
using Portico.Web;

namespace Portico.Alerts;

/// <summary>
/// Tells an operator by <c>alerts.webhook</c> what is wrong. One task looks every five seconds and another posts, on the ordinary thread
/// pool: loops are asked nothing, and a receiver that hangs holds up nothing but alerts.
/// </summary>
internal sealed partial class AlertWatch : IAsyncDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5), PatienceAtEnd = TimeSpan.FromSeconds(1),
        PatienceForAnswer = TimeSpan.FromSeconds(5);

    private readonly PorticoProxy _proxy;
    private readonly Webhook _webhook;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly OnceAMinute _faults;
    private readonly PeriodicTimer _ticks;
    private readonly CancellationTokenSource _stopping = new(), _hurry = new();
    private readonly Channel<AlertRound> _news = Channel.CreateBounded<AlertRound>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    private readonly Task _done;
    private AlertRound? _round;
    private bool _isFirst = true;
    private int _isStopped;

    private AlertWatch(PorticoProxy proxy, Webhook webhook, ILogger log, TimeProvider time)
    {
        (_proxy, _webhook, _log, _time) = (proxy, webhook, log, time);
        _faults = new OnceAMinute(time);
        _ticks = new PeriodicTimer(Period, time);
        _done = Task.WhenAll(LookAsync(), PostAsync());
    }

    /// <summary>Looks from now on, as the settings in force want it.</summary>
    /// <param name="proxy">What is looked at.</param>
    /// <param name="name">Of this machine, for the receiver.</param>
    /// <param name="version">Of the program.</param>
    /// <param name="loggers">Where lines go.</param>
    /// <param name="time">The clock.</param>
    public static AlertWatch Start(PorticoProxy proxy, string name, string version, ILoggerFactory loggers, TimeProvider time) =>
        Start(proxy, name, version, loggers, time, PatienceForAnswer);

    /// <summary>For tests of receivers that do not answer.</summary>
    internal static AlertWatch Start(
        PorticoProxy proxy, string name, string version, ILoggerFactory loggers, TimeProvider time, TimeSpan patience)
    {
        var log = loggers.CreateLogger<AlertWatch>();
        return new AlertWatch(proxy, new Webhook(name, version, proxy.CountAlert, log, time, patience), log, time);
    }

    /// <summary>Looks at users once more, posts what may be posted, and ends: after a second whatever is under way.</summary>
    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _isStopped, 1) == 0)
        {
            await _stopping.CancelAsync();
            _hurry.CancelAfter(PatienceAtEnd);
        }

        await Task.WhenAny(_done, Task.Delay(PatienceAtEnd + PatienceAtEnd / 10));
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _ticks.Dispose();
        _webhook.Dispose();
    }

    private async Task LookAsync()
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        do Guard(Look);
        while (await TicksAsync());
        Guard(() => _round?.LookAtUsers());
        if (_round is { } last) _news.Writer.TryWrite(last);
        _news.Writer.Complete();
    }

    private async Task<bool> TicksAsync()
    {
        try
        {
            return await _ticks.WaitForNextTickAsync(_stopping.Token);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private void Look()
    {
        var wanted = _proxy.Settings.Alerts.Webhook;
        if (!Equals(wanted, _round?.To))
        {
            _round?.Dispose();
            _round = wanted is null ? null : new AlertRound(wanted, _proxy, _isFirst, _time);
        }

        _isFirst = false;
        if (_round is not { } round) return;
        round.Look();
        _news.Writer.TryWrite(round);
    }

    private async Task PostAsync()
    {
        await foreach (var round in _news.Reader.ReadAllAsync())
        {
            using var isOver = CancellationTokenSource.CreateLinkedTokenSource(round.Over, _stopping.Token);
            using var mustEnd = CancellationTokenSource.CreateLinkedTokenSource(round.Over, _hurry.Token);
            while (!mustEnd.IsCancellationRequested && round.Board.TryTake(out var alert))
                await _webhook.SendAsync(round.To, alert, isOver.Token, mustEnd.Token);
        }
    }

    // Ours, and the next look may do better: the watch does not end with it.
    private void Guard(Action look)
    {
        try
        {
            look();
        }
        catch (Exception error)
        {
            if (_faults.IsDue()) Log.Faulted(_log, error);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 9602, EventName = "AlertsFaulted", Level = LogLevel.Error,
            Message = "An exception of the proxy ended a look for alerts; please report it")]
        public static partial void Faulted(ILogger logger, Exception error);
    }
}
