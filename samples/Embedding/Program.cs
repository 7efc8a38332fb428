using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Portico.Core;
using Portico.Core.Options;
using Portico.Protocol.Secrets;

// The proxy inside a program of your own: it is bound before the host reports started, and drained when the host stops.
const string Domain = "www.example.com";
var secret = ProxySecret.Create(RandomNumberGenerator.GetBytes(ProxySecret.Length));
var parsed = ProxyOptionsParser.Parse(
    new ProxyOptions
    {
        Listeners = [new ListenerOptions { Address = "127.0.0.1", Port = 0, Secret = SecretText.FormatSimple(secret), Domain = Domain }],
        DataDirectory = Path.Combine(Path.GetTempPath(), "portico-embedded"),
    },
    baseDirectory: Environment.CurrentDirectory);
if (parsed.Settings is not { } settings)
{
    foreach (var error in parsed.Errors)
        Console.Error.WriteLine($"{error.Key}: {error.Problem}");
    return 1;
}

var builder = Host.CreateApplicationBuilder(args);
builder.Services.AddPortico(settings);
using var host = builder.Build();
await host.StartAsync();

var proxy = host.Services.GetRequiredService<PorticoService>().Proxy!;
Console.WriteLine(ProxyLink.TMe("127.0.0.1", proxy.Endpoints[0].Port, SecretText.FormatFakeTls(secret, Domain)));
await host.WaitForShutdownAsync();
return 0;
