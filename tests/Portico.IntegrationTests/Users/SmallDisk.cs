using System.Diagnostics;
using System.Globalization;
using Portico.IntegrationTests.Commands;
using Portico.TestKit;
using Xunit;

namespace Portico.IntegrationTests.Users;

/// <summary>A test with a <see cref="SmallDisk"/>.</summary>
internal sealed class SmallDiskFactAttribute : FactAttribute
{
    public SmallDiskFactAttribute() => Skip = ToolTheoryAttribute.Reason(["unshare", "nsenter"]) ?? OwnDisk.WhyNot;
}

/// <summary>A file system of some megabytes, in mounts of its own that end with the process that has them.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly TemporaryDirectory _place = new();
    private readonly Process _holder;

    public SmallDisk(int megabytes)
    {
        Path = _place.File("disk");
        Directory.CreateDirectory(Path);
        var command = OwnDisk.Command(Path, megabytes, ["sh", "-c", "echo mounted && exec cat"]);
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        _holder = Process.Start(start)!;
        if (_holder.StandardOutput.ReadLine() == "mounted") return;
        Dispose();
        throw new InvalidOperationException("no file system of our own can be mounted here");
    }

    /// <summary>Where it is mounted.</summary>
    public string Path { get; }

    /// <summary>What is put in front of a command that shall see it.</summary>
    public string[] Within => ["nsenter", "--user", "--mount", "--target", _holder.Id.ToString(CultureInfo.InvariantCulture)];

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
        if (!_holder.HasExited) _holder.Kill();
        _holder.WaitForExit();
        _holder.Dispose();
        _place.Dispose();
    }
}
