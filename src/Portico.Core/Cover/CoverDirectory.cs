using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Portico.Core.Net;
using Portico.Core.Options;

namespace Portico.Core.Cover;

/// <summary>What is known of the way to a cover.</summary>
internal enum CoverFinding
{
    /// <summary>There are addresses to try.</summary>
    Found,

    /// <summary>The name has no address, or nobody could tell.</summary>
    NotFound,

    /// <summary>It leads to one of our own listeners.</summary>
    Loop,

    /// <summary>Mode sni: it leads to addresses that are not public.</summary>
    NotAllowed,
}

/// <summary>The addresses of a cover, in the order to try them; none unless found.</summary>
internal sealed record CoverAnswer(CoverFinding Finding, ImmutableArray<EndPoint> Addresses)
{
    public static CoverAnswer Without(CoverFinding finding) => new(finding, []);
}

/// <summary>
/// Where covers are: names are resolved on the thread pool, a bounded number at a time,
/// and remembered for a while. Shared by all loops, which never wait for it.
/// </summary>
/// <remarks>
/// The mode sni resolves what strangers name, so everything about it has a bound,
/// and its addresses are looked at before anybody connects to them.
/// </remarks>
internal sealed class CoverDirectory(CoverSettings settings, OwnEndpoints own, Func<string, Task<IPAddress[]>> resolve, TimeProvider time)
{
    // Names that strangers ask for are few, and a name costs some 300 bytes.
    private const int MostNames = 1024;

    // Each question holds a thread of the pool while it waits for the answer;
    // more of them than this wait for their turn, and more than that are not asked.
    private const int MostQuestions = 16, MostWaiting = 256;

    private static readonly TimeSpan FreshFor = TimeSpan.FromMinutes(1), FailedFor = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.OrdinalIgnoreCase);
    private readonly Queue<string> _oldestFirst = new();
    private readonly Queue<Entry> _waiting = new();
    private volatile CoverAnswer? _fixed = WithoutName(settings.Target);
    private int _questions;

    /// <summary>
    /// Our listeners are bound: looks at a fixed target that needs no resolving,
    /// and has another one resolved before the first stranger needs it.
    /// </summary>
    public void Begin()
    {
        if (settings.Target is not { } target) return;
        if (target.Address is { } address) _fixed = Screen([address.Address], address.Port);
        else if (target.Host is not null) Find(target, _ => { });
    }

    /// <summary>The answer if it is known; otherwise null, and <paramref name="then"/> is called with it, on any thread.</summary>
    public CoverAnswer? Find(CoverTarget target, Action<CoverAnswer> then)
    {
        if (target.Host is not { } host) return _fixed;
        Entry entry;
        CoverAnswer? known;
        lock (_gate)
        {
            if (!_entries.TryGetValue(host, out entry!))
            {
                if (_waiting.Count >= MostWaiting)
                    return CoverAnswer.Without(CoverFinding.NotFound);
                entry = Add(host, target.Port);
            }

            // An operator's site is where it was while nobody can tell; a stranger's is asked for anew.
            known = entry.Answer;
            var isFresh = known is not null
                && time.GetElapsedTime(entry.AnsweredAt) < (known.Finding == CoverFinding.NotFound ? FailedFor : FreshFor);
            if (known is not null && !isFresh && (settings.Mode != CoverMode.Fixed || known.Finding == CoverFinding.NotFound))
                known = null;
            if (known is null) entry.Waiting.Add(then);
            if (isFresh || entry.IsAsking) return known;
            entry.IsAsking = true;
            if (_questions == MostQuestions)
            {
                _waiting.Enqueue(entry);
                return known;
            }

            _questions++;
        }

        _ = AskAsync(entry);
        return known;
    }

    private static CoverAnswer? WithoutName(CoverTarget? target)
    {
        if (target?.UnixPath is { } path)
            return new(CoverFinding.Found, [new UnixDomainSocketEndPoint(path)]);
        return target?.Address is { } address ? new(CoverFinding.Found, [address]) : null;
    }

    private Entry Add(string host, int port)
    {
        // The oldest goes, but not while somebody waits for it.
        for (var tries = _oldestFirst.Count; tries > 0 && _entries.Count >= MostNames; tries--)
        {
            var oldest = _oldestFirst.Dequeue();
            if (_entries[oldest].IsAsking) _oldestFirst.Enqueue(oldest);
            else _entries.Remove(oldest);
        }

        _oldestFirst.Enqueue(host);
        return _entries[host] = new Entry(host, port);
    }

    // One question after the other, as long as names wait.
    private async Task AskAsync(Entry first)
    {
        for (var entry = first; entry is not null;)
        {
            CoverAnswer answer;
            try
            {
                answer = Screen(await resolve(entry.Host).ConfigureAwait(false), entry.Port);
            }
            catch (Exception problem) when (problem is SocketException or ArgumentException) // no such name, or none that a resolver takes
            {
                answer = CoverAnswer.Without(CoverFinding.NotFound);
            }

            entry = Tell(entry, answer);
        }
    }

    // Returns the next name to ask for.
    private Entry? Tell(Entry entry, CoverAnswer answer)
    {
        Action<CoverAnswer>[] waiting;
        Entry? next;
        lock (_gate)
        {
            // The operator's site does not vanish because a resolver is down for a minute.
            var keepsOld = settings.Mode == CoverMode.Fixed
                && answer.Finding == CoverFinding.NotFound
                && entry.Answer is { Finding: CoverFinding.Found };
            if (!keepsOld) entry.Answer = answer;
            answer = entry.Answer!;
            entry.AnsweredAt = time.GetTimestamp();
            entry.IsAsking = false;
            if (!_waiting.TryDequeue(out next)) _questions--;
            waiting = [.. entry.Waiting];
            entry.Waiting.Clear();
        }

        foreach (var then in waiting) then(answer);
        return next;
    }

    // What is left out here is never connected to, so a second answer of the resolver cannot bring it back.
    private CoverAnswer Screen(IPAddress[] addresses, int port)
    {
        var (isLoop, isPrivate) = (false, false);
        var kept = ImmutableArray.CreateBuilder<EndPoint>(addresses.Length);
        foreach (var found in addresses)
        {
            var address = found.IsIPv4MappedToIPv6 ? found.MapToIPv4() : found;
            var endpoint = new IPEndPoint(address, port);
            if (own.Contains(endpoint))
                isLoop = true;
            else if (settings is { Mode: CoverMode.Sni, AllowPrivateTargets: false } && AddressReach.Of(address) != Reach.World)
                isPrivate = true;
            else
                kept.Add(endpoint);
        }

        if (kept.Count > 0) return new(CoverFinding.Found, kept.ToImmutable());
        return CoverAnswer.Without(isLoop ? CoverFinding.Loop : isPrivate ? CoverFinding.NotAllowed : CoverFinding.NotFound);
    }

    private sealed class Entry(string host, int port)
    {
        public string Host => host;

        public int Port => port;

        public CoverAnswer? Answer { get; set; }

        public long AnsweredAt { get; set; }

        public bool IsAsking { get; set; }

        public List<Action<CoverAnswer>> Waiting { get; } = new(1);
    }
}
