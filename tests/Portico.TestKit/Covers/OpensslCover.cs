namespace Portico.TestKit.Covers;

/// <summary>The server of the openssl program: serves one connection after the other, each until its end.</summary>
public sealed class OpensslCover : CoverServer
{
    /// <summary>The program.</summary>
    public const string Program = "openssl";

    private OpensslCover()
    {
    }

    /// <summary>Starts one; it has no timeouts.</summary>
    /// <param name="more">Arguments for its peculiarities.</param>
    public static async Task<OpensslCover> StartAsync(params string[] more)
    {
        var cover = new OpensslCover();
        try
        {
            await cover.RunAsync(Program, [
                "s_server", "-accept", $"{cover.Endpoint}", "-cert", cover.CertificateFile,
                "-key", cover.KeyFile, "-alpn", "h2,http/1.1", "-quiet", "-www", .. more
            ]);
            return cover;
        }
        catch
        {
            await cover.DisposeAsync();
            throw;
        }
    }
}
