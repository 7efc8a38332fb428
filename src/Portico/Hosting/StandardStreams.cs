using Portico.Commands;
using Portico.Core.Net;

namespace Portico.Hosting;

/// <summary>
/// stdout and stderr as a service manager may leave them: closed, full, or gone with their terminal. What is said is never a reason for
/// the proxy to end, and never ends up in a descriptor that belongs to something else.
/// </summary>
internal static class StandardStreams
{
    private const int Output = 1, Error = 2;

    /// <summary>Takes both over. To be called before anything is written.</summary>
    public static void Claim()
    {
        Console.SetOut(ProcessLimits.IsInherited(Output) ? new CheckedWriter(Console.Out) : TextWriter.Null);
        Console.SetError(ProcessLimits.IsInherited(Error) ? new CarelessWriter(Console.Error) : TextWriter.Null);
    }

    /// <summary>Passes text on; what fails is told by <see cref="Failed"/>.</summary>
    private abstract class GuardedWriter(TextWriter inner) : TextWriter
    {
        public override System.Text.Encoding Encoding => inner.Encoding;

        public override void Write(char value) => Guard(() => inner.Write(value));

        public override void Write(char[] buffer, int index, int count) => Guard(() => inner.Write(buffer, index, count));

        public override void Write(string? value) => Guard(() => inner.Write(value));

        public override void WriteLine(string? value) => Guard(() => inner.WriteLine(value));

        public override void Flush() => Guard(inner.Flush);

        protected abstract void Failed(string problem);

        private void Guard(Action write)
        {
            try
            {
                write();
            }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
            {
                Failed(problem.Message.ReplaceLineEndings(" ").TrimEnd('.'));
            }
        }
    }

    /// <summary>For results: a command whose result cannot be written has failed.</summary>
    private sealed class CheckedWriter(TextWriter inner) : GuardedWriter(inner)
    {
        protected override void Failed(string problem) =>
            throw new CommandFailure(ExitCode.Failed, $"cannot write to standard output: {problem}");
    }

    /// <summary>For messages: nothing is left to tell it to, and the next one may get through.</summary>
    private sealed class CarelessWriter(TextWriter inner) : GuardedWriter(inner)
    {
        protected override void Failed(string problem)
        {
        }
    }
}
