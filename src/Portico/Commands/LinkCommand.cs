using System.CommandLine;
using Portico.Core.Options;
using Portico.Hosting;
using Portico.Links;

namespace Portico.Commands;

/// <summary><c>portico link</c>: the links of a configuration, without starting it.</summary>
internal static class LinkCommand
{
    public static Command Create(CommonOptions common)
    {
        var user = new Option<string?>("--user") { Description = "Only this user's links.", HelpName = "NAME" };
        var domain = new Option<string?>("--domain") { Description = "Another host name in fake-TLS links.", HelpName = "NAME" };
        var server = new Option<string?>("--server") { Description = "Another host in the links.", HelpName = "HOST" };
        var qr = CommonOptions.Qr("never");
        var command = new Command("link", "Print the links to share.") { user, domain, server, qr };
        command.SetAction(parsed =>
        {
            var settings = ConfigurationReport.SettingsOf(ConfigurationReport.Need(parsed.GetValue(common.Config)).Loaded);
            var links = settings.Listeners
                .Select(listener => Changed(listener, parsed.GetValue(domain), parsed.GetValue(server)))
                .SelectMany(listener => ShareLink.Of(listener, listener.Address.Port, settings.PerSni))
                .Where(link => parsed.GetValue(user) is not { } wanted || link.User == wanted)
                .ToArray();
            if (links.Length == 0)
            {
                var known =
                    settings.Listeners.SelectMany(listener => listener.Credentials).Select(credential => credential.Name).Distinct();
                throw new CommandFailure(
                    ExitCode.BadConfiguration, $"--user: no enabled user has that name; there are {string.Join(", ", known)}");
            }

            if (links.FirstOrDefault(link => link.Port == 0) is { } open)
            {
                throw new CommandFailure(ExitCode.BadConfiguration, $"listener {open.Listener} gets its port from the system "
                    + "at each start; give it a port or a publicPort to have links beforehand");
            }

            var terminal = Terminal.OfOutput();
            var place = CommonOptions.WantsQr(parsed, qr, terminal) ? QrPlace.EveryLink : QrPlace.None;
            LinkPrinter.Print(parsed.InvocationConfiguration.Output, links, place, terminal ?? Terminal.None);
            return ExitCode.Ok;
        });
        return command;
    }

    private static ListenerSettings Changed(ListenerSettings listener, string? domain, string? server)
    {
        if (domain is not null && DomainName.Problem(domain) is { } domainProblem)
            throw new CommandFailure(ExitCode.BadConfiguration, $"--domain: {domainProblem}");
        if (server is not null && PublicHost.Problem(server) is { } serverProblem)
            throw new CommandFailure(ExitCode.BadConfiguration, $"--server: {serverProblem}");
        return listener with { Domain = domain ?? listener.Domain, PublicHost = server ?? listener.PublicHost };
    }
}
