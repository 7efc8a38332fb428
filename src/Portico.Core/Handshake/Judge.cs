using System.Text;
using Portico.Core.Admission;
using Portico.Core.Diagnostics;
using Portico.Core.Options;
using Portico.Core.Users;
using Portico.Protocol;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Obfuscation;
using Portico.Protocol.Secrets;

namespace Portico.Core.Handshake;

/// <summary>What the judge says of the bytes so far.</summary>
internal enum Verdict : byte
{
    /// <summary>They can still become a client of ours.</summary>
    Undecided,

    /// <summary>
    /// The bytes suffice but not all secrets have been tried:
    /// let others have their turn and ask again with the same bytes.
    /// </summary>
    Trying,

    /// <summary>A client that proved to know a secret.</summary>
    Ours,

    /// <summary>Anybody else, whatever may follow.</summary>
    Stranger,
}

/// <summary>
/// Mine or not mine? A pure function over all raw bytes so far, the clock, which secrets may be tried and how many were:
/// the same bytes give the same answer, however they were cut. Decides as soon as the bytes allow;
/// a stranger costs all trials that it may. One per listener and loop, because it holds the loop's HMAC states.
/// </summary>
/// <param name="listener">Whose clients are looked for.</param>
/// <param name="window">Which signing times are accepted.</param>
/// <param name="perSni">How secrets are derived for the domain of a hello; null = they are not.</param>
/// <param name="table">The listener's secrets.</param>
/// <param name="hints">Which of them were right lately.</param>
internal sealed class Judge(ListenerSettings listener, TimeWindow window, PerSniSettings? perSni, SecretTable table, TrialHints hints)
{
    /// <summary>No hello and no header needs more.</summary>
    public const int MaxRawLength = ClientHelloReader.MaxRawLength;

    /// <summary>Bytes of working space: a hello joined from its records, and the trials' copy of it.</summary>
    public const int ScratchLength = ClientHelloReader.MaxHelloLength + HelloDigest.ScratchLength;

    private const int ForbiddenWord = 4;

    // A header is random bytes, so each rule refuses a few clients of ours:
    // 16 printable bytes one in five million, 12 would be one in 116 000.
    private const int PrintablePrefix = 16;

    private readonly SecretTrials _trials = new(table, perSni, hints);

    /// <summary>The listener's secrets.</summary>
    public SecretTable Table => table;

    /// <summary>Which of them were right lately.</summary>
    public TrialHints Hints => hints;

    /// <summary>Judges the bytes so far, with one slice of trials at most.</summary>
    /// <param name="raw">Everything received since accept; no longer than last time if that was <see cref="Verdict.Trying"/>.</param>
    /// <param name="scratch">Working space of at least <see cref="ScratchLength"/> bytes; the judgement may point into it.</param>
    /// <param name="unixSeconds">Our clock.</param>
    /// <param name="progress">Of this caller: new at first, then as it was left.</param>
    /// <param name="judgement">Everything learnt; lives as long as <paramref name="raw"/> and <paramref name="scratch"/>.</param>
    public Verdict Decide(
        ReadOnlySpan<byte> raw, Span<byte> scratch, long unixSeconds, scoped ref TrialProgress progress, out Judgement judgement)
    {
        judgement = new Judgement();
        return ClientHelloReader.Recognize(raw) switch
        {
            FrameStatus.NeedMoreData => Verdict.Undecided,
            FrameStatus.Ok => DecideHello(raw, scratch, unixSeconds, ref progress, ref judgement),
            _ => DecideHeader(raw, ref progress, ref judgement), // no TLS, so perhaps an obfuscated header
        };
    }

    private Verdict DecideHello(
        ReadOnlySpan<byte> raw, Span<byte> scratch, long unixSeconds, scoped ref TrialProgress progress, ref Judgement judgement)
    {
        judgement.IsTls = true;
        var status = HelloExamination.Open(raw, scratch[..ClientHelloReader.MaxHelloLength], out var hello);
        if (status == FrameStatus.NeedMoreData) return Verdict.Undecided;
        if ((listener.Protocols & ClientProtocols.FakeTls) == 0)
            return judgement.Refuse(ProtocolError.DisabledProtocol);
        if (status == FrameStatus.Invalid) return judgement.Refuse(hello.Error);
        if (!_trials.TryHello(ref hello, scratch[ClientHelloReader.MaxHelloLength..], ref progress))
        {
            judgement.HasOtherName = HasOtherName(hello);
            return GoOn(progress, ref judgement, ProtocolError.TlsInvalidDigest);
        }

        judgement.Credential = _trials.CredentialOf(hello);
        status = HelloExamination.Qualify(ref hello, window, unixSeconds, TlsCipherSuites.None);
        judgement.Hello = hello;
        if (status == FrameStatus.Invalid) return judgement.Refuse(hello.Error);
        judgement.Secret = _trials.SecretOf(hello);
        return Verdict.Ours;
    }

    private Verdict DecideHeader(ReadOnlySpan<byte> raw, scoped ref TrialProgress progress, ref Judgement judgement)
    {
        if ((listener.Protocols & (ClientProtocols.Classic | ClientProtocols.Secure)) == 0)
            return judgement.Refuse(ProtocolError.TlsClientHelloExpected);
        if (CannotBeHeader(raw)) return judgement.Refuse(ProtocolError.UnknownProtocol);
        if (raw.Length < ObfuscatedHeader.Length) return Verdict.Undecided;
        if (!_trials.TryHeader(raw[..ObfuscatedHeader.Length], ref judgement, ref progress))
            return GoOn(progress, ref judgement, ProtocolError.UnknownProtocol);
        var needed = judgement.Transport == Transport.Padded ? ClientProtocols.Secure : ClientProtocols.Classic;
        return (listener.Protocols & needed) != 0 ? Verdict.Ours : judgement.Refuse(ProtocolError.DisabledProtocol);
    }

    private bool HasOtherName(in HelloVerdict hello) =>
        perSni is null && listener.Domain is { } domain && !Ascii.EqualsIgnoreCase(hello.Hello.Sni, domain)
        && !_trials.HasOwn(hello.Hello.Sni);

    private static Verdict GoOn(in TrialProgress progress, ref Judgement judgement, ProtocolError error)
    {
        if (progress.Left > 0) return Verdict.Trying;
        return progress.Extent == TrialExtent.All ? judgement.Refuse(error) : judgement.Refuse(CloseReason.AddressRate);
    }

    // Any TLS record but a hello. Type and version alone would refuse one genuine
    // header in 22 000; with a plausible length it is one in four million.
    private static bool IsRecordHeader(ReadOnlySpan<byte> raw) => raw is [0x14 or 0x15 or 0x17, 0x03, <= 0x04, <= 0x40, _, ..];

    // Bytes that are not here yet are filled up with what no rule forbids.
    private static bool HasForbiddenStart(ReadOnlySpan<byte> raw)
    {
        Span<byte> start = stackalloc byte[ObfuscatedHeader.StartLength];
        start.Fill(1);
        raw[..Math.Min(raw.Length, start.Length)].CopyTo(start);
        return ObfuscatedHeader.HasForbiddenStart(start);
    }

    // Clients of ours avoid these beginnings (spec/01 section 2.4); scanners and browsers begin with nothing else. Deciding early matters
    // because a real server answers a bad request line at once.
    private static bool CannotBeHeader(ReadOnlySpan<byte> raw)
    {
        if (raw.Length >= ForbiddenWord && HasForbiddenStart(raw)) return true;
        if (raw.Length >= TlsRecordWriter.HeaderLength && IsRecordHeader(raw)) return true;
        if (raw.Length < PrintablePrefix) return false;
        foreach (var value in raw[..PrintablePrefix])
        {
            if (value is not ((>= 0x20 and < 0x7f) or (byte)'\r' or (byte)'\n' or (byte)'\t'))
                return false;
        }

        return true;
    }
}

/// <summary>What the judge learnt about a client. Points into the bytes it was made from.</summary>
internal ref struct Judgement
{
    /// <summary>A hello that nobody signed names another host than our links.</summary>
    public bool HasOtherName;

    /// <summary>The bytes began as a ClientHello does.</summary>
    public bool IsTls;

    /// <summary>Why it is a stranger.</summary>
    public CloseReason Reason;

    /// <summary>What the client proved to know. Set also for those who may not come in.</summary>
    public Credential? Credential;

    /// <summary>What a fake-TLS client signed with, and what its streams are made of.</summary>
    public ProxySecret? Secret;

    /// <summary>The signed hello of a fake-TLS client, or of one that may not come in.</summary>
    public HelloVerdict Hello;

    /// <summary>Both streams of a client without TLS.</summary>
    public ObfuscatedStreams Streams;

    /// <summary>Framing of a client without TLS.</summary>
    public Transport Transport;

    /// <summary>DC of a client without TLS, as it gave it.</summary>
    public short DcId;

    /// <summary>Makes it a stranger's judgement.</summary>
    public Verdict Refuse(ProtocolError error) => Refuse(CloseReasons.Of(error));

    /// <summary>The same, where it is not the bytes that were found wanting.</summary>
    public Verdict Refuse(CloseReason reason)
    {
        Reason = reason;
        return Verdict.Stranger;
    }
}
