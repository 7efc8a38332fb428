using System.CommandLine;
using Portico.Commands;
using Portico.Configuration;

namespace Portico.Moving;

/// <summary>The option that names the file of a passphrase.</summary>
internal static class Passphrase
{
    private const int MostBytes = 1024;

    /// <summary>As an option of a command.</summary>
    public static Option<string?> Option(string description) => new("--passphrase-file")
    {
        Description = $"A file that holds the passphrase {description} (AES-256-GCM; the key is made of it by PBKDF2, "
            + $"{PassphraseSeal.Iterations} times SHA-256). Needs OpenSSL's libraries on this machine, as the proxy does.",
        HelpName = "FILE",
    };

    /// <summary>What the file holds, without the end of its line.</summary>
    /// <exception cref="CommandFailure">It cannot be read, or holds none.</exception>
    public static byte[]? Read(string? path)
    {
        if (path is null) return null;
        var bytes = FileFailure.Guard(
            () =>
            {
                using var file = File.OpenRead(path);
                var read = new byte[MostBytes + 1];
                return read[..file.ReadAtLeast(read, read.Length, throwOnEndOfStream: false)];
            },
            "read", path, "name a file that this user may read");
        var phrase = bytes.AsSpan().TrimEnd("\r\n"u8).ToArray();
        return phrase.Length is > 0 and <= MostBytes
            ? phrase
            : throw new CommandFailure(
                ExitCode.BadConfiguration,
                $"--passphrase-file: {path} must hold a passphrase of 1 to {MostBytes} bytes; `openssl rand -base64 24` makes one");
    }
}
