using Microsoft.Extensions.Logging;
using Portico.Core.Options;
using Portico.Core.Web;
using Yarp.ReverseProxy.Forwarder;

namespace Portico.Web.Site;

/// <summary>
/// The site that a gate names. With another gate it is looked for anew, beside the requests that come meanwhile: they see the one before,
/// and so do all if the new one cannot be had.
/// </summary>
internal sealed partial class SiteInForce : IDisposable
{
    // A visitor that comes later than this after the last look has the files looked at, and others see what has changed.
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);

    private readonly IHttpForwarder _forwarder;
    private readonly ILoggerFactory _loggers;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly OnceAMinute _warnings;
    private volatile WebGate _gate;
    private volatile IWebSite _site;
    private SiteFiles? _files;
    private Uri? _upstream;
    private int _isLooking;
    private long _lookedAt;

    private SiteInForce(WebGate gate, IHttpForwarder forwarder, ILoggerFactory loggers, TimeProvider time)
    {
        (_gate, _forwarder, _loggers, _time) = (gate, forwarder, loggers, time);
        _log = loggers.CreateLogger<SiteInForce>();
        _warnings = new OnceAMinute(time);
        _site = StaticSite.Empty;
    }

    /// <summary>Reads the site.</summary>
    /// <param name="gate">Which names it.</param>
    /// <param name="forwarder">Passes requests on.</param>
    /// <param name="loggers">Where lines go.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    /// <exception cref="InvalidDataException">It is too large.</exception>
    public static SiteInForce Open(WebGate gate, IHttpForwarder forwarder, ILoggerFactory loggers, TimeProvider time)
    {
        var site = new SiteInForce(gate, forwarder, loggers, time);
        site.Look(gate.Settings);
        site._lookedAt = time.GetTimestamp();
        return site;
    }

    /// <summary>The site for requests that come under a gate.</summary>
    public IWebSite For(WebGate gate)
    {
        var isDue = _gate != gate || _time.GetElapsedTime(Volatile.Read(ref _lookedAt)) >= Fresh;
        if (isDue && Interlocked.Exchange(ref _isLooking, 1) == 0)
            ThreadPool.UnsafeQueueUserWorkItem(LookAgain, gate, preferLocal: false);
        return _site;
    }

    public void Dispose() => (_site as IDisposable)?.Dispose();

    private void LookAgain(WebGate gate)
    {
        try
        {
            Look(gate.Settings);
        }
        catch (Exception problem)
        {
            // Of whatever kind: there is nobody above to catch it.
            if (_warnings.IsDue()) Log.Kept(_log, gate.Listener, problem.Message);
        }
        finally
        {
            _gate = gate;
            Volatile.Write(ref _lookedAt, _time.GetTimestamp());
            Volatile.Write(ref _isLooking, 0);
        }
    }

    private void Look(WebSettings settings)
    {
        if (settings.SiteUpstream is { } upstream)
        {
            if (upstream != _upstream)
                Replace(new UpstreamSite(upstream, () => _gate.Settings.Address.Host, _forwarder, _loggers, _time), null, upstream);
            return;
        }

        if (settings.Site is not { } directory)
        {
            Replace(StaticSite.Empty, null, null);
            return;
        }

        var files = SiteFiles.Find(directory);
        if (_files?.IsLike(files) != true) Replace(files.Read(), files, null);
    }

    // What the one before is still passing on has its connections to the end: they are left to the collector.
    private void Replace(IWebSite site, SiteFiles? files, Uri? upstream) =>
        (_site, _files, _upstream) = (site, files, upstream);

    private static partial class Log
    {
        [LoggerMessage(EventId = 2351, EventName = "WebSiteKept", Level = LogLevel.Warning,
            Message = "Listener {Listener}: the site cannot be read ({Problem}); visitors see the one before")]
        public static partial void Kept(ILogger logger, string listener, string problem);
    }
}
