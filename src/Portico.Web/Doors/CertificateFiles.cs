using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Portico.Core.Options;
using Portico.Web.Tls;

namespace Portico.Web.Doors;

/// <summary>
/// The certificate in two files, read again when they change: whoever renews it need not tell us. One that cannot be used leaves the
/// one before in place.
/// </summary>
internal sealed partial class CertificateFiles : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly Func<WebSettings> _settings;
    private readonly ILogger _log;
    private readonly ITimer _timer;
    private volatile TlsContext _current;
    private Contents _seen;
    private bool _isBroken;
    private bool _wasReported;

    private CertificateFiles(Func<WebSettings> settings, ILogger log, TimeProvider time)
    {
        (_settings, _log) = (settings, log);
        _seen = Contents.Read(settings());
        _current = Use(_seen);
        _timer = time.CreateTimer(_ => Look(), null, Interval, Timeout.InfiniteTimeSpan);
    }

    private sealed record Contents(string Certificate, string Key)
    {
        // Never the key: this could be printed.
        public override string ToString() => "[certificate]";

        public static Contents Read(WebSettings settings) => new(File.ReadAllText(settings.Certificate!), File.ReadAllText(settings.Key!));
    }

    /// <summary>What connections are greeted with from now on.</summary>
    public TlsContext Current => _current;

    /// <summary>Reads the files that the settings name.</summary>
    /// <param name="settings">The settings in force.</param>
    /// <param name="loggers">Where lines go.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="IOException">They cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">They may not be read.</exception>
    /// <exception cref="InvalidDataException">They are no certificate and its key.</exception>
    public static CertificateFiles Open(Func<WebSettings> settings, ILoggerFactory loggers, TimeProvider time)
    {
        try
        {
            return new CertificateFiles(settings, loggers.CreateLogger<CertificateFiles>(), time);
        }
        catch (Exception problem) when (problem is CryptographicException or ArgumentException)
        {
            throw new InvalidDataException(
                $"{settings().Certificate} and {settings().Key} are no certificate and its key in PEM: {problem.Message}", problem);
        }
    }

    public void Dispose() => _timer.Dispose();

    private static TlsContext Use(Contents contents)
    {
        // It says best what is wrong with a pair.
        X509Certificate2.CreateFromPem(contents.Certificate, contents.Key).Dispose();
        return TlsContext.Create(contents.Certificate, contents.Key);
    }

    private void Look()
    {
        var settings = _settings();
        try
        {
            if (settings.Certificate is not null && settings.Key is not null)
                Compare(Contents.Read(settings), settings.Certificate);
        }
        catch (Exception problem) when (
            problem is IOException or UnauthorizedAccessException or InvalidDataException or CryptographicException or ArgumentException)
        {
            // Between the writing of one file and the other they do not fit: said only if it stays so.
            if (_isBroken && !_wasReported)
            {
                _wasReported = true;
                Log.Kept(_log, settings.Certificate!, settings.Key!, problem.Message);
            }

            _isBroken = true;
        }

        _timer.Change(Interval, Timeout.InfiniteTimeSpan);
    }

    private void Compare(Contents contents, string path)
    {
        if (contents != _seen)
        {
            _current = Use(contents);
            _seen = contents;
            Log.Changed(_log, path);
        }

        _isBroken = _wasReported = false;
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 2331, EventName = "WebCertificateChanged", Level = LogLevel.Information,
            Message = "The certificate in {Path} is a new one, and used from now on")]
        public static partial void Changed(ILogger logger, string path);

        [LoggerMessage(EventId = 2332, EventName = "WebCertificateKept", Level = LogLevel.Warning,
            Message = "{Certificate} and {Key} are no certificate and its key any more ({Problem}). The one before is used on until it "
                + "expires; put a good pair there")]
        public static partial void Kept(ILogger logger, string certificate, string key, string problem);
    }
}
