using System.CommandLine;
using Portico.Commands;
using Portico.Configuration;

namespace Portico.Questions;

/// <summary>Options of the commands that ask the running proxy: where it is, and how the answer is shown.</summary>
internal sealed class AdminOptions(CommonOptions common)
{
    private readonly Option<string?> _socket = new("--socket")
    {
        Description = "The proxy's unix socket. Without it: the one of the configuration.",
        HelpName = "PATH",
    };

    private readonly Option<string?> _url = new("--url")
    {
        Description = "The proxy's HTTP interface, for example http://127.0.0.1:8444. Without it: the socket of the configuration.",
        HelpName = "URL",
    };

    private readonly Option<string?> _tokenFile = new("--token-file")
    {
        Description = "A file that holds the interface's token (admin.token), for --url.",
        HelpName = "FILE",
    };

    private readonly Option<bool> _json = new("--json") { Description = "Print JSON instead of a table." };

    /// <summary>Makes them known to a command.</summary>
    public void AddTo(Command command)
    {
        command.Add(_socket);
        command.Add(_url);
        command.Add(_tokenFile);
        command.Add(_json);
    }

    /// <summary>Whether a program reads the answer.</summary>
    public bool WantsJson(ParseResult parsed) => parsed.GetValue(_json);

    /// <summary>A client for the proxy that is meant.</summary>
    /// <exception cref="CommandFailure">It is not clear which one, or it has no interface.</exception>
    public AdminClient Connect(ParseResult parsed)
    {
        var tokenFile = parsed.GetValue(_tokenFile);
        if (parsed.GetValue(_url) is { } text)
        {
            if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
                throw new CommandFailure(ExitCode.BadConfiguration, "--url: needs an address such as http://127.0.0.1:8444");
            return AdminClient.At(url, tokenFile is null ? null : TokenIn(tokenFile));
        }

        if (tokenFile is not null)
            throw new CommandFailure(ExitCode.BadConfiguration, "--token-file goes with --url; the socket needs no token");
        if (parsed.GetValue(_socket) is { } socket)
            return AdminClient.OverSocket([Path.GetFullPath(socket)]);
        var file = ConfigurationFile.Find(parsed.GetValue(common.Config));
        // Who is in the service's group may use its socket without being able to read its secrets.
        if (!file.Exists && !file.IsNamed && File.Exists(ConfigurationFile.ServiceSocket))
            return AdminClient.OverSocket([ConfigurationFile.ServiceSocket]);
        var settings = ConfigurationReport.SettingsOf(ConfigurationReport.Need(parsed.GetValue(common.Config)).Loaded);
        if (settings.Admin.Sockets.IsEmpty)
        {
            throw new CommandFailure(
                ExitCode.BadConfiguration, "admin.socket is null in the configuration, so there is no socket; name the address with --url");
        }

        return AdminClient.OverSocket(file.SocketsToAsk(settings.Admin.Sockets));
    }

    private static string TokenIn(string file) => NamedFile.Read(
        file, "name the file of --token-file that holds the token", ExitCode.BadConfiguration);
}
