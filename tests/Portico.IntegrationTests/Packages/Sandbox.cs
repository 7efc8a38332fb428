using System.Globalization;
using Portico.TestKit.Covers;

namespace Portico.IntegrationTests.Packages;

/// <summary>
/// What the unit takes from the service, taken by bubblewrap: another user without any rights, no new ones, a root that cannot be
/// written to but for one directory, no devices, and <see cref="SystemCallRules"/>.
/// </summary>
internal sealed class Sandbox
{
    public const string Program = "bwrap";

    private readonly string _rules;
    private readonly string _writable;

    /// <summary>One in which <paramref name="directory"/> alone can be written to.</summary>
    public Sandbox(TemporaryFolder directory, bool mayAskForAddresses)
    {
        _writable = directory.Path;
        _rules = directory.Beside("rules");
        File.WriteAllBytes(_rules, SystemCallRules.Make(mayAskForAddresses));
    }

    /// <summary>Program and arguments, in front of those of what is to run in it.</summary>
    public string[] Around(params string[] command) =>
    [
        // A shell hands bubblewrap the open file of the rules.
        Programs.Get("sh"), "-c", $"exec {Programs.Get(Program)} --seccomp 9 \"$@\" 9< '{_rules}'", "sh",
        "--unshare-user", "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL", "--unshare-ipc",
        "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--bind", _writable, _writable, "--chdir", _writable,
        .. command,
    ];

    /// <summary>
    /// The process in the sandbox that <paramref name="bubblewrap"/> waits for. Signals are for it: bubblewrap passes none on, and
    /// its own way to end together with its parent looks at the thread that started it, which here comes and goes.
    /// </summary>
    public static int InnerProcess(int bubblewrap) =>
        int.Parse(File.ReadAllText($"/proc/{bubblewrap}/task/{bubblewrap}/children").Split(' ')[0], CultureInfo.InvariantCulture);
}

/// <summary>A directory, and a place beside it for what must not be seen in it.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("portico-sandbox-").FullName;

    public TemporaryFolder() => Directory.CreateDirectory(Path);

    public string Path => System.IO.Path.Combine(_root, "state");

    public string Beside(string name) => System.IO.Path.Combine(_root, name);

    public void Dispose() => Directory.Delete(_root, recursive: true);
}
