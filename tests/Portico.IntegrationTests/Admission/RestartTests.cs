using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using Portico.IntegrationTests.Commands;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Portico.TestKit.Telegram;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Admission;

/// <summary>Replays after the executable was started again: everything that a process knows has gone through files.</summary>
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
public sealed class RestartTests : IAsyncDisposable
{
    private static readonly Received ClosedWithoutAByte = Received.Nothing(PeerEnd.Fin);

    private readonly ProxySecret _secret = ProxySecret.Create(RandomNumberGenerator.GetBytes(ProxySecret.Length));
    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTelegram _telegram = FakeTelegram.Start();

    public async ValueTask DisposeAsync()
    {
        await _telegram.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task After_an_orderly_restart_what_came_before_is_known_and_nobody_else_is_refused()
    {
        await BeginAsync();
        var (hello, header) = await RunAsync(Signals.Terminate, ClientsAsync);
        Assert.Equal(["clients-seen.1"], Files());
        await RunAsync(Signals.Terminate, async endpoint =>
        {
            Assert.Equal(["clients-seen.1", "running"], Files());
            Assert.Equal(ClosedWithoutAByte, await StrangerClient.CallAsync(endpoint, hello));
            Assert.Equal(ClosedWithoutAByte, await StrangerClient.CallAsync(endpoint, header));
            await ServeAsync(endpoint, new ClientProfile { Timestamp = Now - 300 });  // a slow clock
            return true;
        }, "replay_session_detected");
        await RunAsync(Signals.Terminate, async endpoint =>  // and once more
        {
            Assert.Equal(ClosedWithoutAByte, await StrangerClient.CallAsync(endpoint, hello));
            Assert.Equal(ClosedWithoutAByte, await StrangerClient.CallAsync(endpoint, header));
            return true;
        }, "replay_session_detected");
    }

    [Fact]
    public Task After_each_of_several_kills_everything_recorded_is_a_stranger_whatever_its_time_became() => KillAsync(times: 3);

    [Fact]
    [Trait(Suite.Trait, Suite.Long)]
    public Task After_each_of_twenty_kills_everything_recorded_is_a_stranger_whatever_its_time_became() => KillAsync(times: 20);

    private async Task KillAsync(int times)
    {
        await BeginAsync();
        var recorded = new List<(byte[] Bytes, uint Time)>();
        for (var life = 0; life <= times; life++)
        {
            await RunAsync(life == times ? Signals.Terminate : Signals.Kill, async endpoint =>
            {
                foreach (var (bytes, time) in recorded)
                {
                    Assert.Equal(ClosedWithoutAByte, await StrangerClient.CallAsync(endpoint, bytes));
                    if (time == 0) continue;
                    foreach (var becomes in new[] { Now, Now + 60, Now - 300 })
                        Assert.Equal(ClosedWithoutAByte, await StrangerClient.CallAsync(endpoint, WithTime(bytes, time, becomes)));
                }

                // A slow clock is not refused, where there was a process before.
                if (life > 0)
                    await ServeAsync(endpoint, new ClientProfile { Timestamp = Now - 300 });
                for (var i = 0; i < 3; i++)
                {
                    var time = Now + 3; // later than the start's last moments
                    recorded.Add((await ServeAsync(endpoint, new ClientProfile { Timestamp = time }), time));
                    recorded.Add((await ServeAsync(endpoint, new ClientProfile { Mode = ClientMode.Secure }), 0));
                }

                await Task.Delay(TimeSpan.FromSeconds(1)); // what is seen is kept within this
                return true;
            }, life == 0 ? null : "replay_session_detected");
        }
    }

    [Fact]
    public async Task A_first_start_that_makes_its_secret_serves_a_phone_whose_clock_is_behind()
    {
        await using var process = PorticoProcess.Start(
            _directory.Path,
            ["--log-level", "debug", "--log-format", "json", "--port", "0"]);
        if (!ProxyLink.TryParse(await process.LineAsync("tg://"), out _, out var port, out var secret, out var error))
            throw new InvalidOperationException(error);
        await using (var client = await FakeClient.ConnectAsync(
            new IPEndPoint(IPAddress.Loopback, port), new ClientProfile { Secret = secret.Secret, Timestamp = Now - 300 }))
        {
            await client.GreetAsync();
        }

        process.Signal(Signals.Terminate);
        await process.EndAsync();
    }

    [Fact]
    public async Task A_second_process_on_one_directory_is_refused_and_takes_nothing_from_the_first()
    {
        var hello = await RunAsync(Signals.Terminate, async endpoint =>
        {
            var hello = await ServeAsync(endpoint, new ClientProfile());
            var (code, output, errors) = await PorticoProcess.RunAsync(_directory.Path, ["--port", "0"]);
            Assert.Equal((1, ""), (code, output));
            var line = Assert.Single(errors.TrimEnd().Split('\n'), line => line.StartsWith("portico: ", StringComparison.Ordinal));
            Assert.Contains(
                $"the data directory {_directory.File("data")} belongs to another running Portico (process ",
                line, StringComparison.Ordinal);
            Assert.Contains($"listening on {endpoint})", line, StringComparison.Ordinal);
            Assert.DoesNotContain("did not stop in order", errors, StringComparison.Ordinal);
            Assert.Equal(ClosedWithoutAByte, await StrangerClient.CallAsync(endpoint, hello));
            return hello;
        }, "replay_session_detected");
        await RunAsync(Signals.Terminate, async endpoint =>
        {
            Assert.Equal(ClosedWithoutAByte, await StrangerClient.CallAsync(endpoint, hello));
            return true;
        }, "replay_session_detected");
    }

    [Fact]
    public async Task A_directory_that_cannot_be_written_is_warned_of_and_serves()
    {
        _directory.Write("data", "a file where the directory should be");
        await RunAsync(Signals.Terminate, async endpoint =>
        {
            await ServeAsync(endpoint, new ClientProfile());
            return true;
        }, "cannot be written");
    }

    // Known times: whoever recorded a hello knows when.
    private static byte[] WithTime(byte[] hello, uint was, uint becomes)
    {
        var changed = hello.ToArray();
        var hidden = changed.AsSpan(39, 4);
        BinaryPrimitives.WriteUInt32LittleEndian(hidden, BinaryPrimitives.ReadUInt32LittleEndian(hidden) ^ was ^ becomes);
        return changed;
    }

    private static uint Now => (uint)TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();

    private string[] Files() => [.. Directory.GetFiles(_directory.File("data"))
        .Select(path => Path.GetFileName(path)).Where(name => name is not ("lock" or "holder" or "version"))
        .Where(name => !name.StartsWith("users.db", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    private async Task<(byte[] Hello, byte[] Header)> ClientsAsync(IPEndPoint endpoint) =>
        (await ServeAsync(endpoint, new ClientProfile()), await ServeAsync(endpoint, new ClientProfile { Mode = ClientMode.Secure }));

    /// <summary>A client comes, is served and leaves; returns what it began with.</summary>
    private async Task<byte[]> ServeAsync(IPEndPoint endpoint, ClientProfile profile)
    {
        await using var client = await FakeClient.ConnectAsync(endpoint, profile with { Secret = _secret });
        await client.GreetAsync();
        var beginning = profile.Mode == ClientMode.FakeTls ? client.Hello : client.Header;
        await client.EchoAsync(100);
        return beginning;
    }

    // A first start that makes its own secret: before it there was nobody, so nothing is refused after it.
    private async Task BeginAsync()
    {
        await using var process = PorticoProcess.Start(_directory.Path, ["--port", "0"]);
        await process.LineAsync("tg://");
        process.Signal(Signals.Terminate);
        await process.EndAsync();
    }

    /// <summary>Starts the executable, lets clients come, ends it with a signal.</summary>
    /// <param name="signal">How it ends.</param>
    /// <param name="use">What happens meanwhile.</param>
    /// <param name="logged">A text that its log must hold.</param>
    private async Task<T> RunAsync<T>(int signal, Func<IPEndPoint, Task<T>> use, string? logged = null)
    {
        _directory.Write("portico.json", DirectConfiguration.Text(_secret, _telegram, "\"timeouts\": { \"drainSeconds\": 1 },"));
        await using var process = PorticoProcess.Start(_directory.Path, ["--log-level", "debug", "--log-format", "json"]);
        var result = await use(new IPEndPoint(IPAddress.Loopback, await process.PortAsync()));
        process.Signal(signal);
        var (code, _, errors) = await process.EndAsync();
        Assert.Equal(signal == Signals.Kill ? 128 + Signals.Kill : 0, code);
        if (logged is not null)
            Assert.Contains(logged, errors, StringComparison.Ordinal);
        return result;
    }
}
