using System.Buffers.Binary;
using System.Security.Cryptography;
using Portico.Protocol.Secrets;

namespace Portico.Protocol.FakeTls;

/// <summary>The client's signature in the random of its hello (spec/02 section 4).</summary>
/// <remarks>
/// <code>
/// random = HMAC-SHA256(secret, hello with a zero random) xor (28 zero bytes || uint32 little-endian Unix seconds)
/// </code>
/// </remarks>
public static class HelloDigest
{
    /// <summary>Bytes of the random that are digest and nothing else; the four behind them hide the time.</summary>
    private const int PlainLength = TlsWire.RandomLength - sizeof(uint);

    /// <summary>
    /// Working space of the trials that take secrets instead of keys,
    /// in bytes: the longest hello behind a block for the key.
    /// </summary>
    public const int ScratchLength = OneShotHmac.BlockLength + ClientHelloReader.MaxHelloLength;

    /// <summary>Whether <paramref name="key"/> signed the hello. Takes the same time wherever the first wrong byte stands.</summary>
    /// <param name="oneRecordForm">A hello as <see cref="ClientHelloReader.TryCollect"/> gives it; at least 43 bytes.</param>
    /// <param name="key">One candidate.</param>
    /// <param name="timestamp">When it was signed by the client's clock, Unix seconds; 0 if it was not.</param>
    public static bool Matches(ReadOnlySpan<byte> oneRecordForm, HmacKey key, out uint timestamp)
    {
        Span<byte> digest = stackalloc byte[HmacKey.DigestLength];
        Compute(oneRecordForm, key, digest);
        return IsRandomOf(oneRecordForm, digest, out timestamp);
    }

    /// <summary>The first of <paramref name="keys"/> that signed the hello, or -1 after all of them were tried.</summary>
    public static int IndexOfSigner(ReadOnlySpan<byte> oneRecordForm, ReadOnlySpan<HmacKey> keys, out uint timestamp)
    {
        for (var i = 0; i < keys.Length; i++)
        {
            if (Matches(oneRecordForm, keys[i], out timestamp))
                return i;
        }
        timestamp = 0;
        return -1;
    }

    /// <summary>
    /// The same for secrets without a key set up for each: slower by 0.1 to 0.2 us a trial,
    /// but nothing is kept per secret, where an <see cref="HmacKey"/> takes 1 KB.
    /// </summary>
    /// <param name="oneRecordForm">A hello as <see cref="ClientHelloReader.TryCollect"/> gives it.</param>
    /// <param name="secrets">The candidates.</param>
    /// <param name="scratch">At least <see cref="ScratchLength"/> bytes that do not overlap the hello.</param>
    /// <param name="timestamp">When it was signed by the client's clock, Unix seconds; 0 if it was not.</param>
    /// <returns>The first secret's index, or -1 after all of them were tried.</returns>
    public static int IndexOfSigner(
        ReadOnlySpan<byte> oneRecordForm, ReadOnlySpan<ProxySecret> secrets, Span<byte> scratch, out uint timestamp)
    {
        Span<byte> digest = stackalloc byte[HmacKey.DigestLength];
        var signed = CopyForTrials(oneRecordForm, scratch);
        for (var i = 0; i < secrets.Length; i++)
        {
            OneShotHmac.Compute(signed, secrets[i].Key, digest);
            if (IsRandomOf(oneRecordForm, digest, out timestamp))
                return i;
        }
        timestamp = 0;
        return -1;
    }

    /// <summary>
    /// The same where each domain has secrets of its own (<see cref="PerSniSecret"/>):
    /// derives one from each base secret and tries that.
    /// </summary>
    /// <param name="oneRecordForm">A hello as <see cref="ClientHelloReader.TryCollect"/> gives it.</param>
    /// <param name="secrets">The base secrets.</param>
    /// <param name="salt">The operator's.</param>
    /// <param name="sni">The name in the hello.</param>
    /// <param name="scratch">At least <see cref="ScratchLength"/> bytes that do not overlap the hello.</param>
    /// <param name="timestamp">When it was signed by the client's clock, Unix seconds; 0 if it was not.</param>
    /// <returns>The first secret's index, or -1 after all of them were tried.</returns>
    public static int IndexOfSigner(
        ReadOnlySpan<byte> oneRecordForm, ReadOnlySpan<ProxySecret> secrets,
        ReadOnlySpan<byte> salt, ReadOnlySpan<byte> sni, Span<byte> scratch, out uint timestamp)
    {
        Span<byte> digest = stackalloc byte[HmacKey.DigestLength];
        Span<byte> derived = stackalloc byte[ProxySecret.Length];
        var signed = CopyForTrials(oneRecordForm, scratch);
        for (var i = 0; i < secrets.Length; i++)
        {
            PerSniSecret.Derive(salt, secrets[i], sni, derived);
            OneShotHmac.Compute(signed, derived, digest);
            CryptographicOperations.ZeroMemory(derived);
            if (IsRandomOf(oneRecordForm, digest, out timestamp))
                return i;
        }
        timestamp = 0;
        return -1;
    }

    /// <summary>
    /// What of a signed hello cannot be changed without its secret: the part of the digest that hides no time.
    /// The four bytes behind it are digest xor time, so whoever guesses the time of a recorded hello can give it
    /// another and the signature stays right. A replay is therefore recognised by these bytes and no others.
    /// </summary>
    /// <param name="clientRandom">The 32 bytes of the hello.</param>
    public static ReadOnlySpan<byte> ReplayFingerprint(ReadOnlySpan<byte> clientRandom) => clientRandom[..PlainLength];

    /// <summary>The client's side: signs a finished hello, whatever its random held before.</summary>
    /// <param name="oneRecordForm">The hello; bytes 11 to 42 are overwritten.</param>
    /// <param name="key">The secret shared with the proxy.</param>
    /// <param name="timestamp">Unix seconds.</param>
    public static void Sign(Span<byte> oneRecordForm, HmacKey key, uint timestamp)
    {
        var random = oneRecordForm.Slice(TlsWire.RandomOffset, TlsWire.RandomLength);
        Compute(oneRecordForm, key, random);
        var hidden = random[PlainLength..];
        BinaryPrimitives.WriteUInt32LittleEndian(hidden, BinaryPrimitives.ReadUInt32LittleEndian(hidden) ^ timestamp);
    }

    // A copy of the hello with a zero random, behind a free block for the key.
    private static Span<byte> CopyForTrials(ReadOnlySpan<byte> hello, Span<byte> scratch)
    {
        var signed = scratch[..(OneShotHmac.BlockLength + hello.Length)];
        hello.CopyTo(signed[OneShotHmac.BlockLength..]);
        signed.Slice(OneShotHmac.BlockLength + TlsWire.RandomOffset, TlsWire.RandomLength).Clear();
        return signed;
    }

    private static bool IsRandomOf(ReadOnlySpan<byte> hello, ReadOnlySpan<byte> digest, out uint timestamp)
    {
        var random = hello.Slice(TlsWire.RandomOffset, TlsWire.RandomLength);
        var matches = CryptographicOperations.FixedTimeEquals(digest[..PlainLength], random[..PlainLength]);
        var time = BinaryPrimitives.ReadUInt32LittleEndian(digest[PlainLength..])
            ^ BinaryPrimitives.ReadUInt32LittleEndian(random[PlainLength..]);
        timestamp = matches ? time : 0;
        return matches;
    }

    /// <summary>Feeds the hello in three pieces, so that no copy with a zero random is needed.</summary>
    private static void Compute(ReadOnlySpan<byte> hello, HmacKey key, Span<byte> digest)
    {
        key.Append(hello[..TlsWire.RandomOffset]);
        key.Append(TlsWire.ZeroRandom);
        key.Append(hello[TlsWire.RandomEnd..]);
        key.Finish(digest);
    }
}
