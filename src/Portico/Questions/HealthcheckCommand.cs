using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using Portico.Commands;
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
                var settings = ConfigurationReport.SettingsOf(ConfigurationReport.Need(parsed.GetValue(common.Config)).Loaded);
                if (settings.Admin.Sockets.IsEmpty) await ConnectAsync(settings, limit.Token);
                else await AskAsync(settings.Admin, limit.Token);
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

    private static async Task AskAsync(AdminSettings admin, CancellationToken cancel)
    {
        using var client = AdminClient.OverSocket(admin.Sockets);
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
