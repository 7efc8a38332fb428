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

    // An answer about one client, given by a thread that does nothing else. A loop waits for it.
    private static readonly TimeSpan PatienceForAnswer = TimeSpan.FromMilliseconds(250);

    private HandOverLink? _successor;

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
        if (!_engine.CanHandOver)
            throw new HandOverException("engine \"sockets\" cannot hand its listening sockets over; restart the proxy instead");
        var directory = "";
        await OnThreadAsync(() => directory = link.ExpectReady(PatienceForStart)).ConfigureAwait(false);
        if (directory != Settings.DataDirectory)
        {
            throw new HandOverException(
                $"the successor's data directory is {directory} and not {Settings.DataDirectory}: restart the proxy instead");
        }

        if (!await EnterReloadAsync().ConfigureAwait(false))
            throw new HandOverException("the proxy is stopping");
        try
        {
            var began = Stopwatch.GetTimestamp();
            await HandOverNowAsync(link, endSuccessor).ConfigureAwait(false);
            return Stopwatch.GetElapsedTime(began);
        }
        finally
        {
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
        await OnThreadAsync(link.AwaitCommit).ConfigureAwait(false);
        await UnlessDeadAsync(_engine.ResumeListeningAsync()).ConfigureAwait(false);
        var loop = _engine.Loops[0];
        _ = OnThreadAsync(() => link.Listen(question => ReplayQuestion.Answer(question, _services.Replays, loop.NowMs / 1000)));
    }

    private async Task HandOverNowAsync(HandOverLink link, Action endSuccessor)
    {
        var replays = _services.Replays;
        replays.Hold();
        try
        {
            // With it every loop has had a turn, so nobody is in the middle of being remembered.
            await UnlessDeadAsync(_engine.SuspendListeningAsync()).ConfigureAwait(false);
            var sockets = await _engine.ListeningDescriptorsAsync().ConfigureAwait(false);
            await OnThreadAsync(() =>
            {
                if (replays.LetGo() is { } problem)
                    throw new HandOverException($"what was seen of clients could not be written: {problem}");
                _directory?.Dispose();
                link.Give(sockets.AsSpan());
                link.Commit(PatienceForServing, PatienceForAnswer);
            }).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // It has let nobody in, and must not have the directory when that is to be ours again.
            endSuccessor();
            await TakeDirectoryBackAsync().ConfigureAwait(false);
            replays.TakeBack();
            await UnlessDeadAsync(_engine.ResumeListeningAsync()).ConfigureAwait(false);
            throw;
        }

        _successor = link;
        replays.Follow(new Successor(link));
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
    private async Task TakeDirectoryBackAsync()
    {
        if (_directory is null) return;
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                _directory = DirectoryLock.Take(Settings.DataDirectory, _log);
                _directory?.Listening(Endpoints);
                return;
            }
            catch (DataDirectoryInUseException) when (attempt < 20)
            {
                await Task.Delay(50).ConfigureAwait(false);
            }
            catch (DataDirectoryInUseException problem)
            {
                Log.DirectoryLost(_log, problem.Message);
                return;
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1202, EventName = "DirectoryLost", Level = LogLevel.Warning,
            Message = "A hand-over went wrong and the data directory could not be locked again; nothing else runs on: {Problem}")]
        public static partial void DirectoryLost(ILogger logger, string problem);
    }

    private sealed class Successor(HandOverLink link) : IReplaySuccessor
    {
        public bool TryEnterHello(ReadOnlySpan<byte> beginning, uint timestamp, out CloseReason refusal) =>
            ReplayQuestion.TryEnterHello(beginning, timestamp, link.Ask, out refusal);

        public bool TryEnterHeader(ReadOnlySpan<byte> beginning) => ReplayQuestion.TryEnterHeader(beginning, link.Ask);
    }
}
