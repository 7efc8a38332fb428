using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Portico.Core.Background;
using Xunit;

namespace Portico.Core.Tests.Background;

/// <summary>Who owns a data directory, as another process sees it.</summary>
public sealed class DataDirectoryHolderTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("portico-test-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_running_proxy_is_known_by_its_process_and_where_it_listens_until_it_ends()
    {
        IPEndPoint[] endpoints = [new(IPAddress.Loopback, 443), new(IPAddress.IPv6Any, 8443)];
        using (var running = DirectoryLock.Take(_directory, NullLogger.Instance)!)
        {
            var starting = DataDirectoryHolder.Of(_directory);
            Assert.Equal(Environment.ProcessId, starting?.ProcessId);
            Assert.Empty(starting!.Endpoints);

            running.Listening(endpoints);
            Assert.Equal(endpoints, DataDirectoryHolder.Of(_directory)!.Endpoints);
        }

        Assert.Null(DataDirectoryHolder.Of(_directory));
    }

    [Fact]
    public async Task Who_comes_between_the_lock_and_the_name_of_its_holder_waits_for_the_name()
    {
        using var running = DirectoryLock.Take(_directory, NullLogger.Instance)!;
        var holder = Path.Combine(_directory, DirectoryLock.HolderName);
        var text = File.ReadAllText(holder);
        File.Delete(holder);

        var second = Task.Run(() => Assert.Throws<DataDirectoryInUseException>(() => DirectoryLock.Take(_directory, NullLogger.Instance)));
        await Task.Delay(50);
        File.WriteAllText(holder, text);

        Assert.Contains($"another running Portico (process {Environment.ProcessId}", (await second).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_killed_one_has_left_behind_names_nobody()
    {
        DirectoryLock.Take(_directory, NullLogger.Instance)!.Dispose();
        File.WriteAllText(Path.Combine(_directory, DirectoryLock.HolderName), "process 1, listening on 0.0.0.0:443\n");

        Assert.Null(DataDirectoryHolder.Of(_directory));
    }

    [Theory]
    [InlineData("")]
    [InlineData("process")]
    [InlineData("process x, listening on nowhere, 0.0.0.0:443")]
    [InlineData("process 99999999999999999999, listening on ")]
    public void Words_that_mean_nothing_are_left_out(string words)
    {
        using var running = DirectoryLock.Take(_directory, NullLogger.Instance)!;
        File.WriteAllText(Path.Combine(_directory, DirectoryLock.HolderName), words);

        var holder = DataDirectoryHolder.Of(_directory);

        Assert.NotNull(holder);
        Assert.Null(holder.ProcessId);
        Assert.True(holder.Endpoints.Length <= 1);
    }

    [Fact]
    public void A_directory_that_is_not_there_has_no_owner() =>
        Assert.Null(DataDirectoryHolder.Of(Path.Combine(_directory, "none")));
}
