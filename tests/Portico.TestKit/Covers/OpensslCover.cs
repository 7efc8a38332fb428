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
    public static async Task<OpensslCover> StartAsync()
    {
        var cover = new OpensslCover();
        try
        {
            await cover.RunAsync(Program, "s_server", "-accept", $"{cover.Endpoint}", "-cert", cover.CertificateFile, "-key", cover.KeyFile, "-alpn", "h2,http/1.1", "-quiet", "-www");
            return cover;
        }
        catch
        {
            await cover.DisposeAsync();
            throw;
        }
    }
}
