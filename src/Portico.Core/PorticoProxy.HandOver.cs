using System.Collections.Immutable;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Portico.Core.Admission.Replay;
using Portico.Core.Background;
using Portico.Core.Diagnostics;

namespace Portico.Core;

/// <summary>How one process follows another without a refused connection (docs/adr/0015).</summary>
public sealed partial class PorticoProxy
{
    // A successor starts within a tenth of a second as a native program, and within some seconds where its code is made first and the
    // machine is busy. From the sockets on it has only what was seen to read.
    private static readonly TimeSpan PatienceForStart = TimeSpan.FromSeconds(60), PatienceForServing = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan PatienceForEnd = TimeSpan.FromSeconds(5);

    // An answer about one client, given by a thread that does nothing else. A loop waits for it.
    private static readonly TimeSpan PatienceForAnswer = TimeSpan.FromMilliseconds(250);

    private volatile HandOverLink? _handingOver;
    private volatile HandOverLink? _successor;

    /// <summary>Why it can hand over to no process; null = it can.</summary>
    public string? HandOverProblem =>
        _engine.CanHandOver ? null : "engine \"sockets\" cannot hand its listening sockets over; restart the proxy instead";

    /// <summary>Another process has taken over: this one only drains.</summary>
    public bool IsHandedOver => _successor is not null;

    /// <summary>Its listening sockets, for a service manager to keep over a restart. They stay the proxy's.</summary>
    /// <returns>None where they cannot be kept.</returns>
    public Task<ImmutableArray<int>> ListeningDescriptorsAsync() => _engine.ListeningDescriptorsAsync();

    /// <summary>
    /// Hands over to the process at the other end of <paramref name="link"/>: waits until it is ready, stops to accept, gives it the
    /// listening sockets and what was learnt, and lets it accept. Then <see cref="StopAsync(TimeSpan)"/> drains what is left here.
    /// </summary>
    /// <param name="link">Stays open until this process ends: the successor is asked about clients that are still coming in here.</param>
    /// <param name="endSuccessor">Ends that process: something went wrong, and this one takes everything back.</param>
    /// <returns>For how long nobody accepted; who came meanwhile waited.</returns>
    /// <exception cref="HandOverException">It did not come about; this proxy serves on as before.</exception>
    public async Task<TimeSpan> HandOverAsync(HandOverLink link, Action endSuccessor)
    {
        _handingOver = link; // a stop ends it
        var directory = "";
        await OnThreadAsync(() => directory = link.ExpectReady(PatienceForStart)).ConfigureAwait(false);
        if (directory != Settings.DataDirectory)
        {
            throw new HandOverException(
                $"the successor's data directory is {directory} and not {Settings.DataDirectory}: restart the proxy instead");
        }

        // A change of users that is in force is kept before the next process reads them.
        using var hold = await Control.ManagedUsers.HoldAsync().ConfigureAwait(false);
        if (!await EnterReloadAsync().ConfigureAwait(false))
            throw new HandOverException("the proxy is stopping");
        try
        {
            if (_isStopping) throw new HandOverException("the proxy is stopping");
            var began = Stopwatch.GetTimestamp();
            await HandOverNowAsync(link, endSuccessor).ConfigureAwait(false);
            return Stopwatch.GetElapsedTime(began);
        }
        finally
        {
            _handingOver = null;
            _reloading.Release();
        }
    }

    /// <summary>
    /// The other side, for a proxy that was started with the sockets of <see cref="HandOverLink.TakeOver"/>: accepts from the return on,
    /// and answers the old process about clients that were coming in there, until that ends.
    /// </summary>
    /// <param name="link">Of the old process.</param>
    /// <exception cref="HandOverException">It has given up, and serves on.</exception>
    public async Task FollowAsync(HandOverLink link)
    {
        var (replays, loop) = (_services.Replays, _engine.Loops[0]);
        await OnThreadAsync(() =>
        {
            link.AwaitCommit();
            replays.MarkRunning(); // not before: the old process may have to go on with the files
        }).ConfigureAwait(false);
        await UnlessDeadAsync(_engine.ResumeListeningAsync()).ConfigureAwait(false);
        _ = AnswerAsync();

        async Task AnswerAsync()
        {
            try
            {
                await OnThreadAsync(() =>
                {
                    link.Accepting();
                    link.Listen(question => ReplayQuestion.Answer(question, replays, replays.ClockAt(loop.UnixSeconds)));
                }).ConfigureAwait(false);
            }
            catch (Exception error)
            {
                Log.NotAnswered(_log, error); // the old process lets nobody in any more
            }
        }
    }

    private async Task HandOverNowAsync(HandOverLink link, Action endSuccessor)
    {
        var (replays, hasDirectory) = (_services.Replays, _directory is not null);
        long? letInSince = null;
        var isGivenUp = false;
        try
        {
            await OnThreadAsync(() => ThrowFor(replays.PrepareToMove())).ConfigureAwait(false);
            if (await _services.Users.HandOverAsync().ConfigureAwait(false) is { } notKept)
                throw new HandOverException($"users or their usage are not kept, so the next process would miss them: {notKept}");
            replays.Hold();
            _services.Policy.IsHeld = true;
            // With it every loop has had a turn, so nobody is in the middle of being remembered.
            await UnlessDeadAsync(_engine.SuspendListeningAsync()).ConfigureAwait(false);
            var sockets = await _engine.ListeningDescriptorsAsync().ConfigureAwait(false);
            await OnThreadAsync(() =>
            {
                ThrowFor(replays.LetGo());
                if (Volatile.Read(ref isGivenUp)) return; // the disk took too long
                _directory?.Dispose();
                _directory = null;
                link.Give(sockets.AsSpan());
                link.Commit(PatienceForServing, PatienceForAnswer, () => letInSince = _engine.Loops[0].UnixSeconds);
            }).WaitAsync(2 * PatienceForServing).ConfigureAwait(false);
        }
        catch (Exception problem)
        {
            Volatile.Write(ref isGivenUp, true);
            await TakeBackAsync(endSuccessor, hasDirectory, letInSince).ConfigureAwait(false);
            if (problem is not TimeoutException) throw;
            throw new HandOverException("the disk or the successor did not answer for too long");
        }

        _successor = link;
        replays.Follow(new Successor(link));
    }

    // First of all clients come in again; the files can wait.
    private async Task TakeBackAsync(Action endSuccessor, bool hadDirectory, long? letInSince)
    {
        try
        {
            await OnThreadAsync(endSuccessor).WaitAsync(PatienceForEnd).ConfigureAwait(false);
        }
        catch (Exception problem)
        {
            Log.NotEnded(_log, problem.Message); // its link is closed, so it lets nobody in
        }

        _services.Replays.Resume(letInSince, _engine.Loops[0].UnixSeconds);
        _services.Policy.IsHeld = false;
        await _services.Users.TakeBackAsync().ConfigureAwait(false);
        await UnlessDeadAsync(_engine.ResumeListeningAsync()).ConfigureAwait(false);
        if (hadDirectory && _directory is null && !await TryLockDirectoryAsync().ConfigureAwait(false))
            return;
        _ = OnThreadAsync(_services.Replays.MarkRunning);
    }

    private static void ThrowFor(string? problem)
    {
        if (problem is not null)
            throw new HandOverException($"what was seen of clients cannot be passed on: {problem}");
    }

    // It waits for the disk and for the other process, which is nothing for the pool.
    private static Task OnThreadAsync(Action work)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                work();
                done.SetResult();
            }
            catch (Exception error)
            {
                done.SetException(error);
            }
        })
        { IsBackground = true, Name = "portico-handover" };
        thread.Start();
        return done.Task;
    }

    // The successor has it for a moment longer than its link.
    private async Task<bool> TryLockDirectoryAsync()
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                _directory = DirectoryLock.Take(Settings.DataDirectory, _log, waits: false);
                _directory?.Listening(Endpoints);
                return true;
            }
            catch (DataDirectoryInUseException) when (attempt < 20)
            {
                await Task.Delay(50).ConfigureAwait(false);
            }
            catch (DataDirectoryInUseException problem)
            {
                Log.DirectoryLost(_log, problem.Message);
                return false;
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1204, EventName = "PredecessorNotAnswered", Level = LogLevel.Error,
            Message = "Questions of the process before this one are answered no longer; please report this")]
        public static partial void NotAnswered(ILogger logger, Exception error);

        [LoggerMessage(EventId = 1202, EventName = "DirectoryLost", Level = LogLevel.Warning,
            Message = "After a hand-over that went wrong nothing more is kept of clients until a restart: {Problem}")]
        public static partial void DirectoryLost(ILogger logger, string problem);

        [LoggerMessage(EventId = 1203, EventName = "SuccessorNotEnded", Level = LogLevel.Warning,
            Message = "The successor that could not take over does not end ({Problem}); end it by hand")]
        public static partial void NotEnded(ILogger logger, string problem);
    }

    private sealed class Successor(HandOverLink link) : IReplaySuccessor
    {
        public bool TryEnterHello(ReadOnlySpan<byte> beginning, uint timestamp, out CloseReason refusal) =>
            ReplayQuestion.TryEnterHello(beginning, timestamp, link.Ask, out refusal);

        public bool TryEnterHeader(ReadOnlySpan<byte> beginning, out CloseReason refusal) =>
            ReplayQuestion.TryEnterHeader(beginning, link.Ask, out refusal);
    }
}
