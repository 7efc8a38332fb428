using System.CommandLine;
using System.Security.Cryptography;
using Portico.Configuration;
using Portico.Core.Options;
using Portico.Protocol.Secrets;

namespace Portico.Commands;

/// <summary><c>portico secret</c>: a fresh secret in every form that clients take.</summary>
internal static class SecretCommand
{
    public static Command Create()
    {
        var domain = new Option<string>("--domain")
        {
            Description = "Host name for the fake-TLS forms.",
            HelpName = "NAME",
            DefaultValueFactory = _ => NewConfiguration.NeutralDomain,
        };
        var command = new Command("secret", "Print a fresh secret in every form.") { domain };
        command.SetAction(parsed =>
        {
            var name = parsed.GetRequiredValue(domain);
            if (DomainName.Problem(name) is { } problem)
                throw new CommandFailure(ExitCode.BadConfiguration, $"--domain: {problem}");

            var secret = ProxySecret.Create(RandomNumberGenerator.GetBytes(ProxySecret.Length));
            var output = parsed.InvocationConfiguration.Output;
            output.WriteLine($"plain         {SecretText.FormatSimple(secret)}");
            output.WriteLine($"dd            {SecretText.FormatSecure(secret)}");
            output.WriteLine($"ee hex        {SecretText.FormatFakeTls(secret, name)}");
            output.WriteLine($"ee base64url  {SecretText.FormatFakeTlsBase64Url(secret, name)}");
            return ExitCode.Ok;
        });
        return command;
    }
}
