using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Portico.Core;

namespace Portico.Life;

/// <summary>
/// SIGUSR2 and `portico upgrade`: starts the program anew, which takes over without a refused connection, or does not, and then this
/// process serves on. One at a time.
/// </summary>
internal sealed partial class Upgrade(PorticoProxy proxy, OwnCommandLine? commandLine, ILogger log) : IDisposable
{
    // What the service manager says of this process and not of the next one.
    private static readonly string[] NotInherited = ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_PID"];

    private readonly SemaphoreSlim _one = new(1);
    private readonly TaskCompletionSource<int> _handedOver = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private HandOverLink? _link;

    /// <summary>Completes with the number of the process that has taken over.</summary>
    public Task<int> HandedOver => _handedOver.Task;

    /// <summary>Starts a successor and hands over to it.</summary>
    /// <param name="cause">For the log.</param>
    /// <returns>Its number.</returns>
    /// <exception cref="HandOverException">It did not come about; everything is as it was.</exception>
    public async Task<int> RunAsync(string cause)
    {
        if (!await _one.WaitAsync(0))
            throw new HandOverException("one upgrade is under way already");
        try
        {
            if (HandedOver.IsCompleted)
                throw new HandOverException("another process has taken over already");
            if (commandLine is null)
                throw new HandOverException("this system does not tell how the program was started; restart it");
            if (Environment.ProcessId == 1)
            {
                throw new HandOverException(
                    "this is the first process of its container, and its successor would end with it; replace the container instead");
            }

            if (proxy.HandOverProblem is { } problem) throw new HandOverException(problem);
            if (IsServiceThatHearsNothing)
            {
                throw new HandOverException(
                    "the service manager started this process and would end its successor with it; the unit needs Type=notify and "
                        + "NotifyAccess=all. Restart the service instead");
            }

            Log.Begins(log, cause, commandLine.Program);
            var (process, pause) = await HandOverAsync(commandLine);
            Log.Done(log, process, pause.TotalMilliseconds);
            _handedOver.SetResult(process);
            return process;
        }
        catch (HandOverException problem)
        {
            Log.Failed(log, cause, problem.Message);
            throw;
        }
        catch (Exception error)
        {
            Log.Faulted(log, error);
            throw new HandOverException("an exception ended the upgrade; please report it. The log has more");
        }
        finally
        {
            _one.Release();
        }
    }

    // systemd gives every service the one variable, and the other to those that it hears.
    private static bool IsServiceThatHearsNothing =>
        Environment.GetEnvironmentVariable("INVOCATION_ID") is not null && Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is null
        && Environment.GetEnvironmentVariable("SYSTEMD_EXEC_PID") == Environment.ProcessId.ToString(CultureInfo.InvariantCulture);

    /// <summary>The administration of this process is closed: the successor may open its own.</summary>
    public void DoorsFree()
    {
        try
        {
            _link?.FreeDoors();
        }
        catch (HandOverException)
        {
            // It is gone, and needs none.
        }
    }

    public void Dispose() => _link?.Dispose();

    private async Task<(int Process, TimeSpan Pause)> HandOverAsync(OwnCommandLine line)
    {
        var link = HandOverLink.Create(out var inherited);
        Process? successor = null;
        try
        {
            successor = Start(line, inherited);
            var pause = await proxy.HandOverAsync(link, () => End(successor, link));
            _link = link;
            return (successor.Id, pause);
        }
        catch (Exception)
        {
            if (successor is not null) End(successor, link);
            link.Dispose();
            throw;
        }
        finally
        {
            successor?.Dispose();
        }
    }

    private static Process Start(OwnCommandLine line, int inherited)
    {
        try
        {
            var start = new ProcessStartInfo(line.Program) { WorkingDirectory = line.Directory };
            foreach (var argument in line.Arguments) start.ArgumentList.Add(argument);
            foreach (var name in NotInherited) start.Environment.Remove(name);
            start.Environment[HandOverLink.Variable] = inherited.ToString(CultureInfo.InvariantCulture);
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception problem)
        {
            throw new HandOverException($"{line.Program} could not be started: {problem.Message}");
        }
        finally
        {
            HandOverLink.CloseInherited(inherited);
        }
    }

    // It hears of it, and gets a moment to end by itself.
    private static void End(Process successor, HandOverLink link)
    {
        link.Dispose();
        if (successor.WaitForExit(TimeSpan.FromMilliseconds(200))) return;
        successor.Kill();
        _ = successor.WaitForExit(TimeSpan.FromSeconds(2));
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 9501, EventName = "UpgradeBegins", Level = LogLevel.Information,
            Message = "Upgrade ({Cause}): starting {Program}")]
        public static partial void Begins(ILogger logger, string cause, string program);

        [LoggerMessage(EventId = 9502, EventName = "UpgradeDone", Level = LogLevel.Information,
            Message = "Process {Process} has taken over; who came meanwhile waited for up to {Milliseconds:0} ms. "
                + "This process lets its sessions end")]
        public static partial void Done(ILogger logger, int process, double milliseconds);

        [LoggerMessage(EventId = 9503, EventName = "UpgradeFailed", Level = LogLevel.Error,
            Message = "The upgrade ({Cause}) failed and this process serves on as before: {Problem}")]
        public static partial void Failed(ILogger logger, string cause, string problem);

        [LoggerMessage(EventId = 9505, EventName = "UpgradeFaulted", Level = LogLevel.Error,
            Message = "An exception of ours ended an upgrade; please report it")]
        public static partial void Faulted(ILogger logger, Exception error);
    }
}
