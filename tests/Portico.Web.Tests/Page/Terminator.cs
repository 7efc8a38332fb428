using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Portico.TestKit.Covers;
using Portico.Web.Tests.Staging;
using Yarp.ReverseProxy.Forwarder;

namespace Portico.Web.Tests.Page;

/// <summary>A server in front that speaks TLS, and through which things go wrong as they do on bad networks.</summary>
internal sealed class Terminator : IAsyncDisposable
{
    private readonly WebApplication _server;
    // A connection for each request, so that one can be cut without the others.
    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        PooledConnectionLifetime = TimeSpan.Zero,
    });

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("portico-front-");
    private readonly IHttpForwarder _forwarder;
    private readonly string _host;

    private Terminator(EndPoint host, HttpProtocols protocols)
    {
        _host = $"http://{host}";
        var (certificate, key) = (Path.Combine(_directory.FullName, "certificate.pem"), Path.Combine(_directory.FullName, "key.pem"));
        CoverCertificate.Write(WebHostUnderTest.Host, certificate, key);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddHttpForwarder();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(server => server.Listen(IPAddress.Loopback, 0, options =>
        {
            options.Protocols = protocols;
            options.UseHttps(X509Certificate2.CreateFromPemFile(certificate, key));
        }));
        _server = builder.Build();
        _forwarder = _server.Services.GetRequiredService<IHttpForwarder>();
        Fault = ForwardAsync;
        _server.Run(context => Fault(context));
    }

    /// <summary>What becomes of a request; forwarding is what usually does.</summary>
    public RequestDelegate Fault { get; set; }

    public EndPoint Address => new IPEndPoint(IPAddress.Loopback, new Uri(_server.Urls.Single()).Port);

    public static async Task<Terminator> StartAsync(EndPoint host, HttpProtocols protocols = HttpProtocols.Http1AndHttp2)
    {
        var terminator = new Terminator(host, protocols);
        await terminator._server.StartAsync();
        return terminator;
    }

    /// <summary>As it should be.</summary>
    public async Task ForwardAsync(HttpContext context) =>
        await _forwarder.SendAsync(context, _host, _client, ForwarderRequestConfig.Empty, new SameHost());

    /// <summary>The host gets it and answers, and the answer is lost.</summary>
    public async Task LoseAnswerAsync(HttpContext context)
    {
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(Stream.Null));
        await ForwardAsync(context);
        context.Abort();
    }

    /// <summary>The host gets it twice, one after the other.</summary>
    public async Task DoubleAsync(HttpContext context)
    {
        context.Request.EnableBuffering();
        using var copy = new HttpRequestMessage(HttpMethod.Parse(context.Request.Method), _host + context.Request.Path);
        var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        copy.Content = new ByteArrayContent(body.ToArray());
        foreach (var (name, value) in context.Request.Headers)
        {
            if (name.StartsWith(':')) continue;
            if (!copy.Headers.TryAddWithoutValidation(name, (string?)value))
                copy.Content.Headers.TryAddWithoutValidation(name, (string?)value);
        }

        if (body.Length == 0) copy.Content = null;
        using var answer = await _client.SendAsync(copy, context.RequestAborted);
        context.Request.Body.Position = 0;
        await ForwardAsync(context);
    }

    /// <summary>The answer breaks off.</summary>
    /// <param name="context">The request.</param>
    /// <param name="where">Given the beginning of its body: how many bytes of it arrive; null = the whole answer.</param>
    /// <param name="settled">Until they have arrived.</param>
    public Task CutAnswerAsync(HttpContext context, Func<ReadOnlyMemory<byte>, int?> where, Func<Task> settled)
    {
        var whole = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        var cut = new CutStream(context.Response.Body, where, settled, context.Abort);
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(cut, whole));
        return ForwardAsync(context);
    }

    public async ValueTask DisposeAsync()
    {
        using var hurry = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await _server.StopAsync(hurry.Token);
        await _server.DisposeAsync();
        _client.Dispose();
        _directory.Delete(recursive: true);
    }

    private sealed class SameHost : HttpTransformer
    {
        public override async ValueTask TransformRequestAsync(
            HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
        {
            await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
            proxyRequest.Headers.Host = httpContext.Request.Host.Value;
        }
    }

    private sealed class CutStream(Stream target, Func<ReadOnlyMemory<byte>, int?> where, Func<Task> settled, Action cut) : Stream
    {
        private bool _isWhole;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var length = _isWhole ? null : where(buffer);
            _isWhole = length is null;
            await target.WriteAsync(buffer[..(length ?? buffer.Length)], cancellationToken);
            if (_isWhole) return;
            await target.FlushAsync(cancellationToken);
            await settled();
            cut();
            throw new IOException("cut");
        }

        public override void Flush() => target.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
