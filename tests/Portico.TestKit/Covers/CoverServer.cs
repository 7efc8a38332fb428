using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Portico.Core.Options;
using Portico.TestKit.Wires;

namespace Portico.TestKit.Covers;

/// <summary>
/// A real web server of other people, started by a test on a free port of loopback
/// with a certificate of its own, as the site that strangers are shown. Ends with the test.
/// </summary>
public abstract class CoverServer : IAsyncDisposable
{
    /// <summary>The name in the certificate.</summary>
    public const string Name = "cover.test";

    private const int Terminate = 15;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("portico-cover-");
    private readonly PortHolder _port = new();
    private readonly StringBuilder _said = new();
    private Process? _process;

    private protected CoverServer(string name = Name)
    {
        // Servers give up root for their work and must still get here; the key is worth nothing.
        if (!OperatingSystem.IsWindows())
            _folder.UnixFileMode |= UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
        CoverCertificate.Write(name, CertificateFile, KeyFile);
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Endpoint => _port.Endpoint;

    /// <summary>The certificate in PEM, which is also its own authority.</summary>
    public string CertificateFile => PathOf("cover.pem");

    /// <summary>The key of the certificate in PEM.</summary>
    public string KeyFile => PathOf("cover.key");

    /// <summary>The folder that is gone afterwards.</summary>
    public string Folder => _folder.FullName;

    /// <summary>Settings of a proxy whose strangers see this server.</summary>
    public CoverSettings Settings => new() { Mode = CoverMode.Fixed, Target = CoverTarget.OfAddress(Endpoint) };

    private protected string PathOf(string file) => Path.Combine(Folder, file);

    /// <summary>Ends the one process that this test has started.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            // A polite end, by its number: a server that is killed leaves its workers behind.
            if (!_process.HasExited)
                _ = Kill(_process.Id, Terminate);
            using var patience = new CancellationTokenSource(Wire.Patience);
            try
            {
                await _process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill(entireProcessTree: true);
                await _process.WaitForExitAsync();
            }
            _process.Dispose();
        }
        _port.Dispose();
        _folder.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Starts <paramref name="program"/> and waits until it takes connections.</summary>
    private protected async Task RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(Programs.Get(program), arguments)
        {
            WorkingDirectory = Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Note(line.Data);
        _process.ErrorDataReceived += (_, line) => Note(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await UntilReadyAsync(program);
    }

    private async Task UntilReadyAsync(string program)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(Endpoint);
                return;
            }
            catch (SocketException) when (!_process!.HasExited && watch.Elapsed < Wire.Patience)
            {
                await Task.Delay(10);  // it announces nothing
            }
            catch (SocketException e)
            {
                throw new InvalidOperationException($"{program} takes no connections on {Endpoint}: {Said}", e);
            }
        }
    }

    private string Said
    {
        get
        {
            lock (_said)
                return _said.ToString();
        }
    }

    // The end of what it says is enough to explain why it did not start.
    private void Note(string? line)
    {
        lock (_said)
        {
            if (line is not null && _said.Length < 4096)
                _said.AppendLine(line);
        }
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);
}
