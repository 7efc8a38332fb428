using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Portico.Core.Control;
using Portico.Core.Net;
using Portico.Core.Web;
using Portico.Web.Doors;
using Portico.Web.Site;
using Yarp.ReverseProxy.Forwarder;

namespace Portico.Web;

/// <summary>
/// The HTTP side of one listener's WEB proxy: a web site like any other, and behind it, for those whose link says so, the bridge page
/// and the carriers of sessions.
/// </summary>
internal sealed partial class WebServer : IAsyncDisposable
{
    // Of requests at a time on one connection: an app with 256 lanes has one that waits in each, and some with frames.
    private const int MostHttp2Streams = 600;

    // What waits to be read of one upload, and of all uploads of a connection: with less, distance alone would slow them down.
    private const int StreamWindow = 4 * 1024 * 1024, ConnectionWindow = 8 * 1024 * 1024;

    private const int MostHeaderBytes = 16 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly WebApplication _parts;
    private readonly IServer _server;
    private readonly SiteInForce _site;
    private readonly CertificateFiles? _certificate;
    private readonly ILogger _log;
    private readonly string _listener;
    private bool _isClosed;

    private WebServer(WebApplication parts, SiteInForce site, CertificateFiles? certificate, ILogger log, string listener)
    {
        (_parts, _site, _certificate, _log, _listener) = (parts, site, certificate, log, listener);
        _server = parts.Services.GetRequiredService<IServer>();
    }

    /// <summary>Where it listens, with the real port.</summary>
    public required EndPoint Address { get; init; }

    /// <summary>
    /// Opens the door. TLS is spoken if the settings name a certificate now; its files, the site and everything else of a gate
    /// may change later.
    /// </summary>
    /// <param name="gate">The gate in force; asked for each request.</param>
    /// <param name="endpoint">
    /// An address, or a unix socket, on which each connection begins with a PROXY header that says who the client is. A file that is
    /// there is replaced; only this user may connect.
    /// </param>
    /// <param name="loggers">Where lines go; none of them has anything of a request.</param>
    /// <param name="time">The clock.</param>
    /// <param name="isSuccessor">The process that is to be followed may listen there still.</param>
    /// <exception cref="IOException">The address is taken; the site or the certificate cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Nor may they.</exception>
    /// <exception cref="InvalidDataException">The site is too large, or the certificate's files are none.</exception>
    public static async Task<WebServer> StartAsync(
        Func<WebGate> gate, EndPoint endpoint, ILoggerFactory loggers, TimeProvider time, bool isSuccessor = false)
    {
        var settings = gate().Settings;
        var log = loggers.CreateLogger<WebServer>();
        var certificate = settings.Certificate is null ? null : CertificateFiles.Open(() => gate().Settings, loggers, time);
        SiteInForce? site = null;
        WebApplication? parts = null;
        try
        {
            EndPoint? bound = null;
            var sockets = new ListeningSocket(isSuccessor);
            parts = Build(endpoint, certificate, gate().Sessions.Loops, log, address =>
            {
                var socket = sockets.Bind(address);
                bound = socket.LocalEndPoint;
                return socket;
            });
            site = SiteInForce.Open(gate(), parts.Services.GetRequiredService<IHttpForwarder>(), loggers, time);
            var server = parts.Services.GetRequiredService<IServer>();
            var pipeline = new RequestPipeline(gate, site, parts.Services, loggers, time);
            await server.StartAsync(pipeline, CancellationToken.None).ConfigureAwait(false);
            var listener = gate().Listener;
            Log.Listening(log, listener, bound!, certificate is null ? "plain HTTP" : "TLS");
            return new WebServer(parts, site, certificate, log, listener) { Address = bound! };
        }
        catch
        {
            certificate?.Dispose();
            site?.Dispose();
            if (parts is not null) await parts.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// Takes no more connections and lets requests end. Sessions have to be over: then their sockets are being closed and their
    /// parked requests answered.
    /// </summary>
    /// <param name="hurry">What is not done by then is cut off.</param>
    public async Task StopAsync(CancellationToken hurry)
    {
        if (Interlocked.Exchange(ref _isClosed, true)) return;
        await _server.StopAsync(hurry).ConfigureAwait(false);
        await _parts.DisposeAsync().ConfigureAwait(false);
        _certificate?.Dispose();
        _site.Dispose();
        Log.Stopped(_log, _listener);
    }

    /// <summary>Stops; what is under way has 2 s.</summary>
    public async ValueTask DisposeAsync()
    {
        using var hurry = new CancellationTokenSource(Patience);
        await StopAsync(hurry.Token).ConfigureAwait(false);
    }

    private static WebApplication Build(
        EndPoint endpoint, CertificateFiles? certificate, ImmutableArray<EventLoop> loops, ILogger log, Func<EndPoint, Socket> bind)
    {
        // Only a box for the server's parts, which reads no environment, file or argument. It is never started as a host: that would tell
        // loggers, traces and diagnostic listeners of every request, target and all. For the same reason the parts have no logger.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance);
        builder.Services.AddHttpForwarder();
        builder.WebHost.UseKestrelCore();
        builder.Services.AddSingleton<IConnectionListenerFactory>(
            new LoopTransport(loops, bind, () => certificate?.Current, () => ProxyControl.HasDescriptorsForVisitors, log));
        builder.WebHost.ConfigureKestrel(server =>
        {
            SetLimits(server);
            // Without TLS nobody can ask for HTTP/2.
            server.Listen(endpoint, options => options.Protocols = HttpProtocols.Http1AndHttp2);
        });
        return builder.Build();
    }

    // The same for every request of the host, ours or not: whoever asks must not find out by a limit which it is.
    private static void SetLimits(KestrelServerOptions server)
    {
        server.AddServerHeader = false;
        // Bytes above 127 mean nothing to us, and the site behind us gets them as they came.
        server.RequestHeaderEncodingSelector = _ => Encoding.Latin1;
        server.ResponseHeaderEncodingSelector = _ => Encoding.Latin1;
        server.Limits.MaxRequestHeadersTotalSize = MostHeaderBytes;
        server.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        server.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(75);
        // How much the site takes is its own business.
        server.Limits.MaxRequestBodySize = null;
        server.Limits.Http2.MaxRequestHeaderFieldSize = MostHeaderBytes;
        server.Limits.Http2.MaxStreamsPerConnection = MostHttp2Streams;
        server.Limits.Http2.InitialStreamWindowSize = StreamWindow;
        server.Limits.Http2.InitialConnectionWindowSize = ConnectionWindow;
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 2301, EventName = "WebListening", Level = LogLevel.Information,
            Message = "Listener {Listener} serves its WEB host at {Address} ({Transport})")]
        public static partial void Listening(ILogger logger, string listener, EndPoint address, string transport);

        [LoggerMessage(EventId = 2302, EventName = "WebStopped", Level = LogLevel.Information,
            Message = "Listener {Listener} serves its WEB host no longer")]
        public static partial void Stopped(ILogger logger, string listener);
    }
}
