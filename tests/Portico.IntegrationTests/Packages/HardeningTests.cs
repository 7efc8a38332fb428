using Portico.IntegrationTests.Commands;
using Portico.TestKit.Covers;
using Xunit;

namespace Portico.IntegrationTests.Packages;

/// <summary>What the unit takes from the native binary, it can do without: a client is relayed in a sandbox that takes the same.</summary>
[Trait(PorticoExecutable.Trait, PorticoExecutable.NativeForm)]
public sealed class HardeningTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SandboxFact]
    public async Task A_client_is_relayed_without_rights_devices_other_sockets_and_memory_that_is_written_and_run() =>
        await RelaysAsync(mayAskForAddresses: true);

    [SandboxFact]
    public async Task A_client_is_relayed_where_the_machine_does_not_tell_its_addresses() =>
        await RelaysAsync(mayAskForAddresses: false);

    [SandboxFact]
    public void The_unit_takes_what_the_sandbox_takes()
    {
        foreach (var key in new[] { "NoNewPrivileges", "MemoryDenyWriteExecute", "PrivateDevices", "RemoveIPC" })
            Assert.Equal(["yes"], ServiceUnit.Values(key));
        Assert.Equal(["strict"], ServiceUnit.Values("ProtectSystem"));
        Assert.Equal(["CAP_NET_BIND_SERVICE"], ServiceUnit.Values("CapabilityBoundingSet"));
        Assert.Equal(["AF_INET AF_INET6 AF_UNIX AF_NETLINK"], ServiceUnit.Values("RestrictAddressFamilies"));
    }

    [SandboxFact]
    public async Task The_sandbox_takes_what_it_should()
    {
        var (_, status, _) = await RunAsync("cat", "/proc/self/status");
        foreach (var line in new[] { "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2" })
            Assert.Contains(line + "\n", status, StringComparison.Ordinal);

        var (written, _, refusal) = await RunAsync("touch", "/etc/portico.test");
        Assert.NotEqual(0, written);
        Assert.Contains("Read-only file system", refusal, StringComparison.Ordinal);

        var (own, _, _) = await RunAsync("touch", Path.Combine(_folder.Path, "file"));
        Assert.Equal(0, own);
    }

    [SandboxFact]
    public async Task The_runtime_with_memory_that_is_written_and_run_does_not_start_in_it()
    {
        var (code, _, _) = await RunAsync(["env", "DOTNET_EnableWriteXorExecute=0", .. PorticoExecutable.OnRuntime, "--version"]);
        Assert.NotEqual(0, code);

        var (native, version, _) = await RunAsync(PorticoExecutable.Native!, "--version");
        Assert.Equal(0, native);
        Assert.NotEmpty(version);
    }

    private async Task<(int Code, string Output, string Errors)> RunAsync(params string[] command)
    {
        var around = new Sandbox(_folder, mayAskForAddresses: false).Around(command);
        return await Programs.RunAsync(around[0], around[1..]);
    }

    private Task RelaysAsync(bool mayAskForAddresses) =>
        SandboxedProxy.RelaysAsync(_folder, new Sandbox(_folder, mayAskForAddresses).Around(PorticoExecutable.Native!));
}
