using System.Globalization;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Xunit;

namespace Portico.IntegrationTests.Commands;

/// <summary>Surroundings that a service manager, a container or a terminal that is gone may give a proxy: none of them ends it.</summary>
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
[UnsupportedOSPlatform("windows")]
public sealed class StreamAndSignalTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(">&-")]
    [InlineData(">/dev/full")]
    [InlineData("2>&-")]
    [InlineData("2>/dev/full")]
    [InlineData("<&- >&- 2>&-")]
    public async Task A_stream_that_takes_nothing_does_not_end_the_proxy(string redirection)
    {
        await using var portico = Start(redirection, "--port", "0");
        await ConnectAsync(await PortAsync());

        portico.Signal(Signals.Terminate);
        var (code, output, errors) = await portico.EndAsync();

        Assert.Equal(0, code);
        Assert.DoesNotContain("Unhandled", output + errors, StringComparison.Ordinal);
        Assert.Equal(redirection == ">/dev/full", errors.Contains("The links could not be printed", StringComparison.Ordinal));
        Assert.DoesNotContain("tg://", Kept(), StringComparison.Ordinal);  // a closed stdout may be another file by then
    }

    [Fact]
    public async Task A_result_that_cannot_be_written_is_one_line_and_exit_code_1()
    {
        await using var portico = Start(">/dev/full", "secret");

        var (code, _, errors) = await portico.EndAsync();

        Assert.Equal(1, code);
        Assert.StartsWith(
            "portico: cannot write to standard output: ", Assert.Single(errors.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reader_that_never_reads_the_links_does_not_keep_the_proxy_from_stopping()
    {
        // More links than a pipe holds, of a first start: later ones show none.
        const int Users = 700;
        var variables = new Dictionary<string, string>();
        for (var i = 0; i < Users; i++)
        {
            variables[$"PORTICO__Listeners__0__Users__{i}__Name"] = $"user{i}";
            variables[$"PORTICO__Listeners__0__Users__{i}__Secret"] = Convert.ToHexString(Guid.NewGuid().ToByteArray());
        }

        await using var portico = PorticoProcess.Start(_directory.Path, ["--port", "0"], variables);
        await ConnectAsync(await PortAsync());

        portico.Signal(Signals.Terminate);

        await portico.GoneAsync(); // nothing has read its stdout until then
    }

    [Fact]
    public async Task Signals_of_reload_and_rotation_do_not_end_the_proxy_and_a_line_says_so()
    {
        // Of this engine nobody can take over, so that it is this process that is asked below.
        var variables = new Dictionary<string, string> { ["PORTICO__engine"] = "sockets" };
        await using var portico = PorticoProcess.Start(_directory.Path, ["--port", "0"], variables);
        await portico.LineAsync("tg://");

        foreach (var signal in (int[])[Signals.HangUp, Signals.User1, Signals.User2]) portico.Signal(signal);
        await ConnectAsync(await PortAsync());
        portico.Signal(Signals.Terminate);
        var (code, _, errors) = await portico.EndAsync();

        Assert.Equal(0, code);
        foreach (var name in (string[])["SIGHUP", "SIGUSR1", "SIGUSR2"]) Assert.Contains(name, errors, StringComparison.Ordinal);
    }

    private PorticoProcess Start(string redirection, params string[] arguments) => PorticoProcess.Start(
        ["/bin/sh", "-c", $"exec \"$@\" {redirection}", "sh", .. PorticoExecutable.Command], _directory.Path, arguments);

    private string Kept() => string.Concat(Directory.GetFiles(_directory.File("data")).Select(File.ReadAllText));

    // What a proxy writes for the one that finds its directory taken: it can be read where stdout cannot.
    private async Task<int> PortAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            var path = _directory.File("data/holder");
            var text = File.Exists(path) ? await File.ReadAllTextAsync(path, patience.Token) : "";
            if (text.Contains("listening on ", StringComparison.Ordinal))
                return int.Parse(text[(text.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture);
            await Task.Delay(20, patience.Token);
        }
    }

    private static async Task ConnectAsync(int port)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", port);
    }
}
