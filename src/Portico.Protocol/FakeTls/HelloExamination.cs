namespace Portico.Protocol.FakeTls;

/// <summary>
/// Is this hello ours? The checks of spec/02 section 5 in their order, without replay and policy, which need memory.
/// <see cref="Examine"/> does all; a caller with per-SNI secrets, or with so many secrets that it tries them in slices,
/// calls <see cref="Open"/>, <see cref="HelloDigest"/> and <see cref="Qualify"/> itself.
/// </summary>
public static class HelloExamination
{
    /// <summary>
    /// Collects and judges everything received so far. Pure:
    /// the verdict on some bytes is the verdict on every longer continuation.
    /// </summary>
    /// <param name="raw">Everything received so far.</param>
    /// <param name="scratch">At least <see cref="ClientHelloReader.MaxHelloLength"/> bytes.</param>
    /// <param name="keys">The candidates, likeliest first. A stranger costs all of them.</param>
    /// <param name="window">Which signing times are accepted.</param>
    /// <param name="nowUnix">Our clock, Unix seconds.</param>
    /// <param name="preferredSuite">The cover's suite or <see cref="TlsCipherSuites.None"/>.</param>
    /// <param name="verdict">Everything learnt, also of a stranger.</param>
    /// <returns>Ok: ours. NeedMoreData: undecided. Invalid: a stranger, for the reason in <see cref="HelloVerdict.Error"/>.</returns>
    public static FrameStatus Examine(
        ReadOnlySpan<byte> raw, Span<byte> scratch, scoped ReadOnlySpan<HmacKey> keys,
        TimeWindow window, long nowUnix, ushort preferredSuite, out HelloVerdict verdict)
    {
        var status = Open(raw, scratch, out verdict);
        if (status != FrameStatus.Ok)
            return status;

        verdict.KeyIndex = HelloDigest.IndexOfSigner(verdict.Hello.Bytes, keys, out var timestamp);
        verdict.Timestamp = timestamp;
        if (verdict.KeyIndex < 0)
        {
            verdict.Error = ProtocolError.TlsInvalidDigest;
            return FrameStatus.Invalid;
        }
        return Qualify(ref verdict, window, nowUnix, preferredSuite);
    }

    /// <summary>
    /// The part that needs no secret: collect, structure, SNI. A hello without a name
    /// is refused before its digest is looked at, so that a signed one differs in nothing.
    /// </summary>
    public static FrameStatus Open(ReadOnlySpan<byte> raw, Span<byte> scratch, out HelloVerdict verdict)
    {
        verdict = new HelloVerdict { KeyIndex = -1 };
        var status = ClientHelloReader.TryCollect(raw, scratch, out var bytes, out var consumed, out var error);
        if (status == FrameStatus.Ok)
        {
            verdict.RawConsumed = consumed;
            if (ClientHello.TryParse(bytes, out var hello, out error))
            {
                verdict.Hello = hello;
                error = hello.Sni.IsEmpty ? ProtocolError.TlsNoSni : ProtocolError.None;
            }
            if (error != ProtocolError.None)
                status = FrameStatus.Invalid;
        }
        verdict.Error = error;
        return status;
    }

    /// <summary>
    /// The part after the digest: could a TLS 1.3 server answer this offer, and is the time right?
    /// A signed hello that fails here is a stranger all the same.
    /// </summary>
    /// <param name="verdict">
    /// Of an opened hello, with <see cref="HelloVerdict.KeyIndex"/>
    /// and <see cref="HelloVerdict.Timestamp"/> set by the caller.
    /// </param>
    /// <param name="window">Which signing times are accepted.</param>
    /// <param name="nowUnix">Our clock, Unix seconds.</param>
    /// <param name="preferredSuite">The cover's suite or <see cref="TlsCipherSuites.None"/>.</param>
    public static FrameStatus Qualify(ref HelloVerdict verdict, TimeWindow window, long nowUnix, ushort preferredSuite)
    {
        verdict.CipherSuite = TlsCipherSuites.Choose(verdict.Hello.CipherSuites, preferredSuite);
        if (!verdict.Hello.HasKeyShareExtension)
            verdict.Error = ProtocolError.TlsMissingKeyShareExt;
        else if (verdict.Hello.X25519Share.IsEmpty)
            verdict.Error = ProtocolError.TlsUnsupportedKeyShares;
        else if (verdict.CipherSuite == TlsCipherSuites.None)
            verdict.Error = ProtocolError.TlsNoCommonCipher;
        else if (!window.Accepts(verdict.Timestamp, nowUnix))
            verdict.Error = ProtocolError.TlsTime;
        else
            return FrameStatus.Ok;
        return FrameStatus.Invalid;
    }
}
