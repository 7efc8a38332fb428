using Portico.Core.Admission;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Users;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Obfuscation;
using Portico.Protocol.Secrets;

namespace Portico.Core.Handshake;

/// <summary>Whose secret is it? The secrets of one listener as one loop tries them on a caller, a slice at a time.</summary>
/// <remarks>
/// What a trial costs, measured with OpenSSL 3 on an AMD EPYC (docs/performance.md):
/// <code>
///                      517-byte hello   1800   16384   header   memory per secret
/// key set up             1.30 us        2.04   11.2             1 KB outside the heap, per loop
/// two SHA-256            1.44 us        2.23   11.3             16 bytes for all loops, 8 to 16 of hints per loop
/// SHA-256, one block                                    0.52 us
/// a secret derived for the domain    0.6 us more
/// </code>
/// So a hello of n bytes costs about 1000 + 5/8 n ns in either form, a header 600 with some reserve,
/// and 200 us are 151 trials of a 517-byte hello, 94 of 1800 bytes, 56 of the longest (4101), 333 of a header.
/// </remarks>
internal sealed class SecretTrials
{
    // So many keys are 64 KB in each loop; those of 100 000 users would be 100 MB. And so many are a first slice: more need hints.
    private const int MostKeys = 64;

    private const int HelloNs = 1000, HelloNsPer8Bytes = 5, HeaderNs = 600, DerivationNs = 600;

    private readonly PerSniSettings? _perSni;
    private readonly TrialHints _hints;
    private readonly SecretTable _table;
    private readonly HmacKey[] _keys;

    // What is tried at once: a slice, or hints, of which one may be there twice.
    private readonly ProxySecret[] _tried;

    /// <param name="table">Whose secrets.</param>
    /// <param name="perSni">How they are derived for the domain of a hello; null = they are not.</param>
    /// <param name="hints">Whose it probably is.</param>
    public SecretTrials(SecretTable table, PerSniSettings? perSni, TrialHints hints)
    {
        (_table, _perSni, _hints) = (table, perSni, hints);
        _keys = perSni is null && table.Count <= MostKeys
            ? [.. Enumerable.Range(0, table.Count).Select(index => new HmacKey(table[index].Secret))]
            : [];
        _tried = new ProxySecret[Math.Max(TrialHints.Most, TrialProgress.SliceNs / HelloNs)];
    }

    // There are so many secrets that those that were right before are tried first.
    private bool UsesHints => _table.Count > MostKeys;

    /// <summary>Tries the next slice on a hello; its key and time are set if one of them signed it.</summary>
    /// <param name="hello">An opened one.</param>
    /// <param name="scratch">At least <see cref="HelloDigest.ScratchLength"/> bytes that do not overlap the hello.</param>
    /// <param name="progress">Of this caller.</param>
    public bool TryHello(ref HelloVerdict hello, Span<byte> scratch, scoped ref TrialProgress progress)
    {
        if (progress.Extent != TrialExtent.All)
        {
            Span<int> known = stackalloc int[TrialHints.PerNetwork];
            return TryHints(ref hello, scratch, KnownTo(progress, known), progress.Network);
        }

        var (ownStart, ownCount) = _table.OfDomain(hello.Hello.Sni).GetOffsetAndLength(_table.Count);
        var candidates = ownCount + _table.General;
        var trialNs = HelloNs + (hello.Hello.Bytes.Length * HelloNsPer8Bytes / 8) + (_perSni is null ? 0 : DerivationNs);
        if (candidates > MostKeys && !progress.HintsTried)
        {
            Span<int> hints = stackalloc int[TrialHints.Most];
            hints = hints[.._hints.For(progress.Network, hints)];
            hints = hints[progress.TakeHints(candidates, hints.Length, trialNs)];
            return TryHints(ref hello, scratch, hints, progress.Network);
        }

        var slice = progress.TakeSlice(candidates, trialNs);
        var (first, end) = (slice.Start.Value, slice.End.Value);
        var own = (ownStart + Math.Min(first, ownCount))..(ownStart + Math.Min(end, ownCount));
        var general = Math.Max(first - ownCount, 0)..Math.Max(end - ownCount, 0);
        if (!TryRange(ref hello, scratch, own) && !TryRange(ref hello, scratch, general))
            return false;
        _hints.Remember(progress.Network, hello.KeyIndex);
        return true;
    }

    // What is tried on a caller whose network's strangers are not tried with all secrets.
    private ReadOnlySpan<int> KnownTo(in TrialProgress progress, Span<int> indices) =>
        progress.Extent == TrialExtent.None ? [] : indices[.._hints.ForNetwork(progress.Network, indices)];

    private bool TryRange(ref HelloVerdict hello, Span<byte> scratch, Range range)
    {
        if (range.Start.Value == range.End.Value) return false;
        var signer = _keys.Length > 0
            ? HelloDigest.IndexOfSigner(hello.Hello.Bytes, _keys.AsSpan(range), out var timestamp)
            : SignerOf(hello, _table.Secrets(range, _tried), scratch, out timestamp);
        if (signer < 0) return false;
        hello.KeyIndex = range.Start.Value + signer;
        hello.Timestamp = timestamp;
        return true;
    }

    private bool TryHints(ref HelloVerdict hello, Span<byte> scratch, scoped ReadOnlySpan<int> indices, ClientNetwork network)
    {
        for (var i = 0; i < indices.Length; i++) _tried[i] = _table[indices[i]].Secret;
        var signer = SignerOf(hello, _tried.AsSpan(0, indices.Length), scratch, out var timestamp);
        if (signer < 0 || !_table[indices[signer]].Host.Allows(hello.Hello.Sni)) return false;
        hello.KeyIndex = indices[signer];
        hello.Timestamp = timestamp;
        _hints.Remember(network, hello.KeyIndex);
        return true;
    }

    private int SignerOf(in HelloVerdict hello, ReadOnlySpan<ProxySecret> secrets, Span<byte> scratch, out uint timestamp) =>
        _perSni is { } perSni
            ? HelloDigest.IndexOfSigner(hello.Hello.Bytes, secrets, perSni.Salt.Span, hello.Hello.Sni, scratch, out timestamp)
            : HelloDigest.IndexOfSigner(hello.Hello.Bytes, secrets, scratch, out timestamp);

    /// <summary>Somebody's links show this name, and not the listener's.</summary>
    public bool HasOwn(ReadOnlySpan<byte> sni) => !_table.OfDomain(sni).Equals(default);

    /// <summary>The credential behind a signed hello.</summary>
    public Credential CredentialOf(in HelloVerdict hello) => _table[hello.KeyIndex];

    /// <summary>The secret behind a signed hello: of the credential, or derived from it for the hello's domain.</summary>
    public ProxySecret SecretOf(in HelloVerdict hello) =>
        _perSni is { } perSni
            ? PerSniSecret.Derive(perSni.Salt.Span, _table[hello.KeyIndex].Secret, hello.Hello.Sni)
            : _table[hello.KeyIndex].Secret;

    /// <summary>Tries the next slice on a header; streams, framing, DC and user are set if one of them opens it.</summary>
    public bool TryHeader(ReadOnlySpan<byte> header, ref Judgement judgement, scoped ref TrialProgress progress)
    {
        if (progress.Extent != TrialExtent.All)
        {
            Span<int> known = stackalloc int[TrialHints.PerNetwork];
            return TryHeader(header, KnownTo(progress, known), ref judgement, progress.Network);
        }

        if (UsesHints && !progress.HintsTried)
        {
            Span<int> hints = stackalloc int[TrialHints.Most];
            hints = hints[.._hints.For(progress.Network, hints)];
            hints = hints[progress.TakeHints(_table.Count, hints.Length, HeaderNs)];
            return TryHeader(header, hints, ref judgement, progress.Network);
        }

        var slice = progress.TakeSlice(_table.Count, HeaderNs);
        for (var i = slice.Start.Value; i < slice.End.Value; i++)
        {
            if (TryHeader(header, i, ref judgement, progress.Network)) return true;
        }

        return false;
    }

    private bool TryHeader(
        ReadOnlySpan<byte> header, scoped ReadOnlySpan<int> indices, ref Judgement judgement, ClientNetwork network)
    {
        foreach (var index in indices)
        {
            if (TryHeader(header, index, ref judgement, network)) return true;
        }

        return false;
    }

    private bool TryHeader(ReadOnlySpan<byte> header, int index, ref Judgement judgement, ClientNetwork network)
    {
        if (!ObfuscatedHeader.TryRead(header, _table[index].Secret, out judgement.Streams, out judgement.Transport, out judgement.DcId))
            return false;
        judgement.Credential = _table[index];
        _hints.Remember(network, index);
        return true;
    }
}
