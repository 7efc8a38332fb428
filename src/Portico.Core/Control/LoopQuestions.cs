using System.Collections.Immutable;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Sessions;

namespace Portico.Core.Control;

/// <summary>What has to be asked of the loops themselves: a command is posted, and its answer waited for, but not for long.</summary>
internal sealed class LoopQuestions(IReadOnlyList<EventLoop> loops, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Each loop comes to its posts.</summary>
    /// <exception cref="ProxyBusyException">One did not in time.</exception>
    public Task TurnAsync() => Task.WhenAll(loops.Select(loop =>
    {
        var turned = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Post(turned.SetResult);
        return InTimeAsync(turned.Task);
    }));

    /// <summary>Sessions from a place on.</summary>
    /// <param name="loop">Where to begin.</param>
    /// <param name="slot">The place on that loop.</param>
    /// <param name="most">How many.</param>
    /// <returns>They, and the place where to go on; its loop is -1 if that is all.</returns>
    /// <exception cref="ProxyBusyException">A loop did not answer in time.</exception>
    public async Task<(ImmutableArray<SessionStatus> Sessions, int Loop, int Slot)> ListAsync(int loop, int slot, int most)
    {
        var found = ImmutableArray.CreateBuilder<SessionStatus>();
        for (; loop < loops.Count; (loop, slot) = (loop + 1, 0))
        {
            if (found.Count == most) return (found.ToImmutable(), loop, slot);
            var now = time.GetUtcNow();
            var next = await WalkAsync(loops[loop], slot, session =>
            {
                found.Add(StatusOf(session, now));
                return found.Count < most;
            }).ConfigureAwait(false);
            if (next >= 0) return (found.ToImmutable(), loop, next);
        }

        return (found.ToImmutable(), -1, 0);
    }

    /// <summary>Looks at every session: on all loops at the same time, each with a look of its own.</summary>
    /// <param name="newLook">Makes what looks at the sessions of one loop.</param>
    /// <exception cref="ProxyBusyException">A loop did not answer in time.</exception>
    public Task LookAsync(Func<Action<Session>> newLook) => Task.WhenAll(loops.Select(loop =>
    {
        var look = newLook();
        return WalkAsync(loop, 0, session =>
        {
            look(session);
            return true;
        });
    }));

    /// <summary>Ends a session.</summary>
    /// <returns>False if there is none of this id.</returns>
    /// <exception cref="ProxyBusyException">Its loop did not answer in time.</exception>
    public async Task<bool> EndAsync(SessionId id)
    {
        if (id.Loop >= loops.Count) return false;
        var loop = loops[id.Loop];
        var ended = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Post(
            () =>
            {
                var session = loop.Slots.Find(id.Token) is { } channel ? SessionDirectory.SessionOf(channel) : null;
                session?.Alone(static it => it.EndFor(CloseReason.EndedByOperator));
                ended.SetResult(session is not null);
            },
            ended.SetException);
        await InTimeAsync(ended.Task).ConfigureAwait(false);
        return await ended.Task.ConfigureAwait(false);
    }

    private static async Task<int> WalkAsync(EventLoop loop, int slot, Func<Session, bool> look)
    {
        var walk = new SessionWalk(loop, slot, look);
        loop.Post(walk);
        try
        {
            await InTimeAsync(walk.Done).ConfigureAwait(false);
            return await walk.Done.ConfigureAwait(false);
        }
        finally
        {
            walk.GiveUp();
        }
    }

    // By the real clock: a proxy under test may have one that stands still.
    private static async Task InTimeAsync(Task answer)
    {
        try
        {
            await answer.WaitAsync(Patience).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw new ProxyBusyException();
        }
    }

    /// <summary>A session as it is now. On its loop.</summary>
    public static SessionStatus StatusOf(Session session, DateTimeOffset now)
    {
        var judged = session.Judged;
        var began = now.AddMilliseconds(session.AcceptedMs - session.Context.Loop.NowMs);
        var address = session.ClientAddress();
        if (address?.Address.IsIPv4MappedToIPv6 == true)
            address = new(address.Address.MapToIPv4(), address.Port);
        return new SessionStatus(
            SessionId.Of(session.Client).ToString(),
            session.Listener.Name,
            session.IsRelaying ? "relaying" : session.IsAtCover ? "cover" : "handshake",
            judged.Credential?.Name,
            judged.HasHeader ? ProxyMetrics.ProtocolName(judged.IsTls, judged.Transport) : null,
            judged.HasHeader ? judged.Dc : null,
            DateTimeOffset.FromUnixTimeSeconds(began.ToUnixTimeSeconds()),
            address?.ToString(),
            session.Received,
            session.Sent);
    }
}
