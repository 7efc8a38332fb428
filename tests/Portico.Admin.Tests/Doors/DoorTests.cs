using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Portico.Admin.Doors;
using Xunit;

namespace Portico.Admin.Tests.Doors;

public sealed class DoorTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("portico-door-");

    private string Path => System.IO.Path.Combine(_directory.FullName, "a.sock");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task The_socket_is_for_owner_and_group_and_needs_no_token()
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var client = test.NewSocketClient();

        if (OperatingSystem.IsWindows()) return;
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite,
            File.GetUnixFileMode(test.Server.Socket!));
        Assert.Equal("serving", (string)(await client.JsonAsync("/api/status"))["state"]!);
    }

    [Fact]
    public void What_a_dead_process_left_is_replaced()
    {
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(Path));
            File.Move(Path, Path + ".kept"); // the framework would delete it
        }

        File.Move(Path + ".kept", Path);
        using var socket = SocketFile.TryBind(Path, out var problem);
        Assert.Null(problem);
        Assert.NotNull(socket);
    }

    [Fact]
    public void A_socket_that_somebody_listens_on_is_left_alone()
    {
        using var living = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        living.Bind(new UnixDomainSocketEndPoint(Path));
        living.Listen();

        Assert.Null(SocketFile.TryBind(Path, out var problem));
        Assert.Contains("another process", problem, StringComparison.Ordinal);
        using var caller = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        caller.Connect(new UnixDomainSocketEndPoint(Path));
    }

    [Fact]
    public void A_file_that_is_no_socket_is_left_alone()
    {
        File.WriteAllText(Path, "somebody's");

        Assert.Null(SocketFile.TryBind(Path, out var problem));
        Assert.Contains("no socket", problem, StringComparison.Ordinal);
        Assert.Equal("somebody's", File.ReadAllText(Path));
    }

    [Fact]
    public async Task Where_the_address_is_taken_there_is_one_warning_and_the_socket()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        await using var test = await AdminUnderTest.StartAsync(
            admin: admin => admin with { Address = (IPEndPoint)other.LocalEndpoint });
        using var client = test.NewSocketClient();

        Assert.Null(test.Server.Address);
        Assert.Equal(200, (await client.SendAsync("GET", "/healthz")).Status);
        Assert.Equal("AdminAddressTaken", test.Proxy.Logs.Lines.Single(line => line.Level == LogLevel.Warning).EventName);
        await using var served = await test.Proxy.GreetAsync();
        await served.EchoAsync(100);
    }

    [Fact]
    public async Task Where_the_first_place_of_the_socket_cannot_be_made_the_next_one_is_taken()
    {
        var second = Path;
        await using var test = await AdminUnderTest.StartAsync(
            admin: admin => admin with { Sockets = ["/proc/nowhere/a.sock", second] });

        Assert.Equal(second, test.Server.Socket);
    }

    [Fact]
    public async Task Three_hundred_callers_at_the_same_time_are_all_answered()
    {
        await using var test = await AdminUnderTest.StartAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 300).Select(async _ =>
        {
            using var client = test.Client;
            client.Timeout = TimeSpan.FromMinutes(2);
            client.DefaultRequestHeaders.ConnectionClose = true;
            return (await client.SendAsync("GET", "/metrics")).Status;
        }));

        Assert.All(answers, status => Assert.Equal(200, status));
    }
}
