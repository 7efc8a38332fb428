using System.Collections.Immutable;
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
///                      517-byte hello   1800   16384   header   memory per secret and loop
/// key set up             1.30 us        2.04   11.2             1 KB outside the heap
/// two SHA-256            1.44 us        2.23   11.3             8 bytes: a reference
/// SHA-256, one block                                    0.52 us
/// a secret derived for the domain    0.6 us more
/// </code>
/// So a hello of n bytes costs about 1000 + 5/8 n ns in either form, a header 600 with some reserve, and 200 us are 151 trials of a 517-byte
/// hello, 94 of 1800 bytes, 56 of the longest (4101), 333 of a header.
/// </remarks>
internal sealed class SecretTrials
{
    // So many keys are 64 KB in each loop; those of 100 000 users would be 100 MB.
    private const int MostKeys = 64;

    private const int HelloNs = 1000, HelloNsPer8Bytes = 5, HeaderNs = 600, DerivationNs = 600;

    private readonly ImmutableArray<Credential> _credentials;
    private readonly ProxySecret[] _secrets;
    private readonly HmacKey[] _keys;
    // Clients come back: the secrets that were right last are tried first, beside the slice. With fewer than this many users there is no need.
    private const int MostRecent = 32;

    private readonly PerSniSettings? _perSni;
    private readonly ProxySecret[] _recent = new ProxySecret[MostRecent];
    private readonly int[] _recentIndices = new int[MostRecent];
    private int _recentCount;
    private int _oldestRecent;

    public SecretTrials(ImmutableArray<Credential> credentials, PerSniSettings? perSni)
    {
        _perSni = perSni;
        _credentials = credentials;
        _secrets = [.. credentials.Select(credential => credential.Secret)];
        _keys = perSni is null && _secrets.Length <= MostKeys ? [.. _secrets.Select(secret => new HmacKey(secret))] : [];
    }

    public int Count => _secrets.Length;

    /// <summary>Tries the next slice on a hello; its key and time are set if one of them signed it.</summary>
    /// <param name="hello">An opened one.</param>
    /// <param name="scratch">At least <see cref="HelloDigest.ScratchLength"/> bytes that do not overlap the hello.</param>
    /// <param name="progress">Of this caller.</param>
    public bool TryHello(ref HelloVerdict hello, Span<byte> scratch, scoped ref TrialProgress progress)
    {
        var bytes = hello.Hello.Bytes;
        if (progress.Tried == 0 && TryRecent(ref hello, scratch)) return true;
        var slice = progress.TakeSlice(Count, HelloNs + (bytes.Length * HelloNsPer8Bytes / 8) + (_perSni is null ? 0 : DerivationNs));
        uint timestamp;
        var signer = _perSni is { } perSni ? HelloDigest.IndexOfSigner(bytes, _secrets.AsSpan(slice), perSni.Salt.Span, hello.Hello.Sni, scratch, out timestamp)
            : _keys.Length > 0 ? HelloDigest.IndexOfSigner(bytes, _keys.AsSpan(slice), out timestamp)
            : HelloDigest.IndexOfSigner(bytes, _secrets.AsSpan(slice), scratch, out timestamp);
        if (signer < 0) return false;
        hello.KeyIndex = slice.Start.Value + signer;
        hello.Timestamp = timestamp;
        Remember(hello.KeyIndex);
        return true;
    }

    private bool TryRecent(ref HelloVerdict hello, Span<byte> scratch)
    {
        if (_recentCount == 0) return false;
        var recent = _recent.AsSpan(0, _recentCount);
        uint timestamp;
        var signer = _perSni is { } perSni
            ? HelloDigest.IndexOfSigner(hello.Hello.Bytes, recent, perSni.Salt.Span, hello.Hello.Sni, scratch, out timestamp)
            : HelloDigest.IndexOfSigner(hello.Hello.Bytes, recent, scratch, out timestamp);
        if (signer < 0) return false;
        hello.KeyIndex = _recentIndices[signer];
        hello.Timestamp = timestamp;
        return true;
    }

    // Those that fit into the first slice are found there as quickly.
    private void Remember(int index)
    {
        if (Count <= MostKeys) return;
        _recent[_oldestRecent] = _secrets[index];
        _recentIndices[_oldestRecent] = index;
        _oldestRecent = (_oldestRecent + 1) % MostRecent;
        _recentCount = Math.Min(_recentCount + 1, MostRecent);
    }

    /// <summary>The credential behind a signed hello.</summary>
    public Credential CredentialOf(in HelloVerdict hello) => _credentials[hello.KeyIndex];

    /// <summary>The secret behind a signed hello: of the credential, or derived from it for the hello's domain.</summary>
    public ProxySecret SecretOf(in HelloVerdict hello) =>
        _perSni is { } perSni ? PerSniSecret.Derive(perSni.Salt.Span, _secrets[hello.KeyIndex], hello.Hello.Sni) : _secrets[hello.KeyIndex];

    /// <summary>Tries the next slice on a header; streams, framing, DC and credential are set if one of them opens it.</summary>
    public bool TryHeader(ReadOnlySpan<byte> header, ref Judgement judgement, scoped ref TrialProgress progress)
    {
        var slice = progress.TakeSlice(Count, HeaderNs);
        for (var i = slice.Start.Value; i < slice.End.Value; i++)
        {
            if (!ObfuscatedHeader.TryRead(header, _secrets[i], out judgement.Streams, out judgement.Transport, out judgement.DcId)) continue;
            judgement.Credential = _credentials[i];
            return true;
        }

        return false;
    }
}
