using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Portico.Web.Tests.Page;

/// <summary>The page that an app serves to an ordinary browser, on a port of its own.</summary>
internal sealed class FramePage : IAsyncDisposable
{
    private readonly WebApplication _server;

    private FramePage(WebApplication server) => _server = server;

    public string Url => _server.Urls.Single() + "/";

    public static async Task<FramePage> StartAsync(string html)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(server => server.Listen(System.Net.IPAddress.Loopback, 0));
        var server = builder.Build();
        server.Run(context =>
        {
            context.Response.ContentType = "text/html; charset=utf-8";
            return context.Response.WriteAsync(html);
        });
        await server.StartAsync();
        return new FramePage(server);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
