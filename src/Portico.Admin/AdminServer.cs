using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Portico.Admin.Access;
using Portico.Admin.Api;
using Portico.Admin.Dashboard;
using Portico.Admin.Doors;
using Portico.Admin.Metrics;
using Portico.Admin.OpenApi;
using Portico.Admin.Overview;
using Portico.Core.Control;
using Portico.Core.Options;

namespace Portico.Admin;

/// <summary>
/// The HTTP interface of a running proxy: on TCP with a token, on a unix socket without. The proxy does not depend on it: a door that
/// cannot be opened is one warning.
/// </summary>
public sealed partial class AdminServer : IAsyncDisposable
{
    /// <summary>Bytes that a body may have.</summary>
    internal const int MostBody = 64 * 1024;

    // Connections that each door takes at a time; others wait in the kernel, so many of them. One that has said all it has to say gives
    // its place back before it is answered, so there may be some more.
    private const int MostTaken = 64, MostWaiting = 1024, MostOpen = 256;

    private const int MostScrapes = 4;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly WebApplication _web;
    private readonly UserMeters _users;
    private readonly TrafficMinutes _minutes;
    private bool _isClosed;

    private AdminServer(WebApplication web, UserMeters users, TrafficMinutes minutes, IPEndPoint? address, string? socket)
    {
        (_web, _users, _minutes) = (web, users, minutes);
        (Address, Socket) = (address, socket);
    }

    /// <summary>Where it listens on TCP, with the real port; null = nowhere.</summary>
    public IPEndPoint? Address { get; }

    /// <summary>Where its unix socket is; null = nowhere.</summary>
    public string? Socket { get; }

    /// <summary>Opens the doors that the settings ask for.</summary>
    /// <param name="host">What it needs.</param>
    /// <param name="metrics">For /metrics; null = there is none.</param>
    /// <param name="time">The clock.</param>
    /// <returns>Null if there is no door, or none could be opened.</returns>
    public static Task<AdminServer?> StartAsync(AdminHost host, MetricsExport? metrics, TimeProvider time) =>
        StartAsync(host, metrics, time, heartbeat: TimeSpan.FromSeconds(15));

    /// <summary>For tests of heartbeats.</summary>
    internal static async Task<AdminServer?> StartAsync(AdminHost host, MetricsExport? metrics, TimeProvider time, TimeSpan heartbeat)
    {
        var log = host.Loggers.CreateLogger<AdminServer>();
        var doors = new Dictionary<EndPoint, Socket>();
        var address = OpenAddress(host.Control.Settings.Admin.Address, doors, log);
        var socket = OpenSocket(host.Control.Settings.Admin.Sockets, doors, log);
        if (doors.Count == 0) return null;

        var web = Build(host, doors);
        var users = new UserMeters(host.Control, host.Control.Settings.Admin.UserMetrics);
        var minutes = new TrafficMinutes(host.Control, time);
        Route(web, host, metrics, users, minutes, time, heartbeat);
        await web.StartAsync().ConfigureAwait(false);
        var places = string.Join(" and ", new[] { address?.ToString(), socket }.Where(it => it is not null));
        Log.Listening(log, places);
        return new AdminServer(web, users, minutes, address, socket);
    }

    /// <summary>Closes the doors; what is under way has 2 s.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isClosed, true)) return;
        using var hurry = new CancellationTokenSource(Patience);
        await _web.StopAsync(hurry.Token).ConfigureAwait(false);
        await _web.DisposeAsync().ConfigureAwait(false);
        _users.Dispose();
        _minutes.Dispose();
    }

    /// <summary>The OpenAPI document of the interface, as it serves it.</summary>
    public static string OpenApi()
    {
        // Described and not asked: nothing of the host is looked at.
        var host = new AdminHost { Control = null!, Version = "", Loggers = NullLoggerFactory.Instance, Configuration = () => "" };
        var access = new AccessControl(() => new AdminSettings(), TimeProvider.System);
        var all = Operations(host, access, minutes: null, TimeProvider.System, TimeSpan.Zero, CancellationToken.None);
        return OpenApiDocument.TextOf(all.Where(operation => operation.IsDescribed));
    }

    /// <summary>All that the interface can do.</summary>
    internal static ImmutableArray<Operation> Operations(
        AdminHost host, AccessControl access, TrafficMinutes? minutes, TimeProvider time, TimeSpan heartbeat, CancellationToken stopping)
    {
        var audit = new AuditLog(host.Loggers.CreateLogger<AuditLog>());
        return
        [
            .. new StatusApi(host).Operations,
            new("GET", MetricsPath, "metrics", "What is counted, for Prometheus.", Run: null)
            {
                MayCall = MayCall.Metrics, ContentType = "text/plain",
            },
            .. new SessionsApi(host, audit).Operations,
            .. new UsersApi(host, audit).Operations,
            .. new OverviewApi(host, minutes).Operations,
            .. new SessionApi(access).Operations,
            .. new DashboardPage(host, access).Operations,
            .. new PolicyApi(host, audit).Operations,
            .. new OperationsApi(host, audit, time).Operations,
            .. new EventsApi(host, heartbeat, stopping).Operations,
            new("GET", "/openapi/v1.json", "openApi", "This document.", _ => Task.FromResult(Answer.RawJson(OpenApi()))),
        ];
    }

    private const string MetricsPath = "/metrics";

    // Signals are the business of the program that runs the proxy.
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private static WebApplication Build(AdminHost host, Dictionary<EndPoint, Socket> doors)
    {
        // Without what reads the environment, files and arguments: the proxy's configuration is the only one.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<ILoggerFactory>(new QuietLoggers(host.Loggers));
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore();
        var sockets = new SocketTransportOptions
        {
            IOQueueCount = 1,
            Backlog = MostWaiting,
            CreateBoundListenSocket = endpoint => doors[endpoint],
        };
        builder.Services.AddSingleton<IConnectionListenerFactory>(services => new PatientTransport(
            new SocketTransportFactory(Options.Create(sockets), services.GetRequiredService<ILoggerFactory>()),
            MostTaken, () => ProxyControl.HasDescriptors));
        builder.WebHost.ConfigureKestrel(server =>
        {
            server.AddServerHeader = false;
            server.Limits.MaxRequestBodySize = MostBody;
            server.Limits.MaxRequestBufferSize = MostBody;
            server.Limits.MaxResponseBufferSize = MostBody;
            server.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
            server.Limits.MaxRequestHeaderCount = 64;
            server.Limits.MaxConcurrentConnections = MostOpen;
            server.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            server.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(20);
            foreach (var endpoint in doors.Keys) server.Listen(endpoint, options => options.Protocols = HttpProtocols.Http1);
        });
        return builder.Build();
    }

    private static void Route(
        WebApplication web, AdminHost host, MetricsExport? metrics, UserMeters users, TrafficMinutes minutes, TimeProvider time,
        TimeSpan heartbeat)
    {
        var access = new AccessControl(() => host.Control.Settings.Admin, time);
        var operations = Operations(host, access, minutes, time, heartbeat, web.Lifetime.ApplicationStopping);
        var pipeline = new RequestPipeline(access, host.Loggers.CreateLogger<RequestPipeline>());
        web.Use(pipeline.CatchAsync);
        web.UseRouting();
        web.Use(pipeline.AdmitAsync);
        var scrapes = new SemaphoreSlim(MostScrapes);
        foreach (var operation in operations)
        {
            if (operation.Run is { } run)
            {
                web.MapMethods(operation.Pattern, [operation.Method], context => RequestPipeline.AnswerAsync(context, operation, run))
                    .WithMetadata(operation);
            }
            else if (metrics is not null)
            {
                web.MapPrometheusScrapingEndpoint(
                    operation.Pattern, metrics.Provider,
                    branch => branch.Use((context, next) => ScrapeAsync(users, scrapes, context, next)), optionsName: null)
                    .WithMetadata(operation);
            }
        }
    }

    // Few at a time: each answer is some ten KB, and a thousand of them at once would be the most that this server ever needs.
    private static async Task ScrapeAsync(UserMeters users, SemaphoreSlim scrapes, HttpContext context, RequestDelegate next)
    {
        await scrapes.WaitAsync(context.RequestAborted).ConfigureAwait(false);
        try
        {
            await users.RefreshAsync().ConfigureAwait(false);
            await next(context).ConfigureAwait(false);
        }
        finally
        {
            scrapes.Release();
        }
    }

    private static IPEndPoint? OpenAddress(IPEndPoint? address, Dictionary<EndPoint, Socket> doors, ILogger log)
    {
        if (address is null) return null;
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(address);
            var bound = (IPEndPoint)socket.LocalEndPoint!;
            doors.Add(bound, socket);
            return bound;
        }
        catch (SocketException problem)
        {
            Log.NoAddress(log, address, problem.Message);
            socket.Dispose();
            return null;
        }
    }

    private static string? OpenSocket(ImmutableArray<string> places, Dictionary<EndPoint, Socket> doors, ILogger log)
    {
        var problems = new List<string>();
        foreach (var path in places)
        {
            if (SocketFile.TryBind(path, out var problem) is { } socket)
            {
                doors.Add(new UnixDomainSocketEndPoint(path), socket);
                return path;
            }

            problems.Add(problem!);
        }

        var why = string.Join("; ", problems);
        if (problems.Count > 0) Log.NoSocket(log, why);
        return null;
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 2101, EventName = "AdminListening", Level = LogLevel.Information,
            Message = "Administration at {Places}")]
        public static partial void Listening(ILogger logger, string places);

        [LoggerMessage(EventId = 2102, EventName = "AdminAddressTaken", Level = LogLevel.Warning,
            Message = "No administration at {Address} ({Problem}); the proxy runs without. Set admin.address to a free one, or to null")]
        public static partial void NoAddress(ILogger logger, IPEndPoint address, string problem);

        [LoggerMessage(EventId = 2103, EventName = "AdminSocketFailed", Level = LogLevel.Warning,
            Message = "No unix socket for administration ({Problem}), so commands such as `portico status` need --url; the proxy runs "
                + "without. Set admin.socket to a place that this user may write to, or to null")]
        public static partial void NoSocket(ILogger logger, string problem);
    }
}
