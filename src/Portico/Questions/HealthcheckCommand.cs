using System.Collections.Immutable;
using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using Portico.Commands;
using Portico.Configuration;
using Portico.Core.Options;

namespace Portico.Questions;

/// <summary>
/// <c>portico healthcheck</c>: for containers and scripts, whether the process serves. Nobody outside is asked: a proxy without a way to
/// Telegram is not mended by a restart.
/// </summary>
internal static class HealthcheckCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static Command Create(CommonOptions common)
    {
        var command = new Command("healthcheck", "Exit code 0 if the proxy of this configuration serves, else 1. Never asks Telegram.");
        command.SetAction(async (parsed, cancel) =>
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            limit.CancelAfter(Patience);
            try
            {
                await CheckAsync(ConfigurationFile.Find(parsed.GetValue(common.Config)), limit.Token);
                return ExitCode.Ok;
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
            {
                throw new CommandFailure(ExitCode.Failed, $"no answer within {Patience.TotalSeconds} s");
            }
            catch (CommandFailure failure)
            {
                throw new CommandFailure(ExitCode.Failed, failure.Message); // there is one code for everything else (docker's too)
            }
        });
        return command;
    }

    // A file that has become wrong since the start is no fault of what runs: only where the socket is, is taken from it.
    private static async Task CheckAsync(ConfigurationFile file, CancellationToken cancel)
    {
        var loaded = LoadedConfiguration.Load(file.Exists ? file.Read() : "{}", file.Directory, Override.FromEnvironment());
        var sockets = loaded.Settings?.Admin.Sockets ?? ProxyOptionsParser.AdminSocketsOf(loaded.Options, file.Directory);
        if (!sockets.IsEmpty) await AskAsync(file.SocketsToAsk(sockets), cancel);
        else if (loaded.Settings is { } settings) await ConnectAsync(settings, cancel);
        else throw new CommandFailure(ExitCode.Failed, $"{file.Path} does not say where the proxy can be asked");
    }

    private static async Task AskAsync(ImmutableArray<string> sockets, CancellationToken cancel)
    {
        using var client = AdminClient.OverSocket(sockets);
        var (status, body) = await client.AskAsync(HttpMethod.Get, "/healthz", cancel);
        if (status != HttpStatusCode.OK) throw client.Refused(status, body);
    }

    // A proxy without an interface: that its first listener takes connections is all that can be seen.
    private static async Task ConnectAsync(ProxySettings settings, CancellationToken cancel)
    {
        var address = settings.Listeners[0].Address;
        var here = address.Address.Equals(IPAddress.Any) ? IPAddress.Loopback
            : address.Address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback
            : address.Address;
        using var socket = new Socket(here.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(new IPEndPoint(here, address.Port), cancel);
        }
        catch (SocketException error)
        {
            throw new CommandFailure(ExitCode.Failed, $"nobody listens at {here}:{address.Port} ({error.Message})");
        }
    }
}
