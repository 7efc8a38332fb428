using System.Diagnostics;
using System.Globalization;

namespace Portico.IntegrationTests.Users;

/// <summary>
/// A file system of some megabytes, in mounts of its own that end with the process that has them. Needs root, or what lets root do that.
/// </summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly Commands.TemporaryDirectory _place = new();
    private readonly Process _holder;

    public SmallDisk(int megabytes)
    {
        Path = _place.File("disk");
        Directory.CreateDirectory(Path);
        var start = new ProcessStartInfo("unshare")
        {
            ArgumentList =
            {
                "--mount", "--propagation", "private", "sh", "-c",
                $"mount -t tmpfs -o size={megabytes}m none {Path} && echo mounted && exec cat",
            },
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        _holder = Process.Start(start)!;
        if (_holder.StandardOutput.ReadLine() != "mounted")
            throw new InvalidOperationException("no file system of our own can be mounted here");
    }

    /// <summary>Where it is mounted.</summary>
    public string Path { get; }

    /// <summary>What is put in front of a command that shall see it.</summary>
    public string[] Within => ["nsenter", "--mount", "--target", _holder.Id.ToString(CultureInfo.InvariantCulture)];

    private string Ballast => $"/proc/{_holder.Id}/root{Path}/ballast";

    /// <summary>Takes all room there is.</summary>
    public void Fill()
    {
        using var file = new FileStream(Ballast, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        var page = new byte[4096];
        try
        {
            while (true) file.Write(page);
        }
        catch (IOException)
        {
            // full
        }
    }

    /// <summary>Gives it back.</summary>
    public void Empty() => File.Delete(Ballast);

    public void Dispose()
    {
        _holder.Kill();
        _holder.WaitForExit();
        _holder.Dispose();
        _place.Dispose();
    }
}
