using Portico.IntegrationTests.Commands;
using Portico.TestKit;
using Portico.TestKit.Covers;
using Xunit;

namespace Portico.IntegrationTests.Packages;

/// <summary>
/// What the image holds is enough: the files that its first stage collects (deploy/container/rootfs), as the root of a sandbox that
/// cannot be written to, with an ordinary user. The image itself: deploy/test-image.
/// </summary>
[Trait(PorticoExecutable.Trait, PorticoExecutable.NativeForm)]
public sealed class ImageTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Root => _folder.Beside("rootfs");

    private string[] AsContainer =>
    [
        "--unshare-user", "--uid", "10001", "--gid", "10001", "--cap-drop", "ALL",
        "--ro-bind", Root, "/", "--proc", "/proc", "--dev", "/dev", "--bind", _folder.Path, "/data", "--chdir", "/data",
        "/usr/bin/portico",
    ];

    public void Dispose() => _folder.Dispose();

    [SandboxFact]
    public async Task A_client_is_relayed_with_nothing_but_the_files_of_the_image()
    {
        await CollectAsync();

        await SandboxedProxy.RelaysAsync(_folder, [Programs.Get(Sandbox.Program), .. AsContainer, "run"]);
    }

    [SandboxFact]
    public async Task Without_its_library_of_ciphers_there_is_no_proxy()
    {
        await CollectAsync();
        foreach (var file in Directory.EnumerateFiles(Root, "libssl*", SearchOption.AllDirectories)) File.Delete(file);

        var (code, _, errors) = await Programs.RunAsync(Sandbox.Program, [.. AsContainer, "run"]);

        Assert.NotEqual(0, code);
        Assert.Contains("libssl", errors, StringComparison.Ordinal);
    }

    [SandboxFact]
    public async Task It_holds_no_shell_and_little_else()
    {
        await CollectAsync();

        var programs = Directory.EnumerateFiles(Root, "*", SearchOption.AllDirectories)
            .Where(path => path.Contains("/bin/", StringComparison.Ordinal)).Select(Path.GetFileName);
        Assert.Equal(["portico"], programs);
        Assert.InRange(Directory.EnumerateFiles(Root, "*", SearchOption.AllDirectories).Count(), 9, 16);
    }

    [Fact]
    public void The_image_asks_the_process_for_its_health_and_is_nobody_special()
    {
        var lines = File.ReadAllLines(Path.Combine(RepositoryRoot.Path, "deploy", "container", "Dockerfile"));

        Assert.Contains(lines, line => line.StartsWith("HEALTHCHECK ", StringComparison.Ordinal) && line.EndsWith(
            "CMD [\"/usr/bin/portico\", \"healthcheck\"]", StringComparison.Ordinal));
        Assert.Contains("USER 10001:10001", lines);
        Assert.Contains("FROM scratch", lines);
    }

    private async Task CollectAsync()
    {
        var script = Path.Combine(RepositoryRoot.Path, "deploy", "container", "rootfs");
        var (code, output, errors) = await Programs.RunAsync("bash", [script, PorticoExecutable.Native!, Root]);
        Assert.True(code == 0, output + errors);
    }
}
