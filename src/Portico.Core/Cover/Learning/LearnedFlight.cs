using System.Collections.Immutable;
using Portico.Protocol.Crypto;
using Portico.Protocol.FakeTls;

namespace Portico.Core.Cover.Learning;

/// <summary>
/// How a cover answers hellos like those of our clients: everything of it
/// that our own flight copies. Immutable; loops read it without a lock.
/// </summary>
internal sealed class LearnedFlight
{
    /// <summary>
    /// The suite with a longer hash: its Finished, the last message of the flight,
    /// is longer by this many bytes than with the other two (RFC 8446 section 4.4.4).
    /// </summary>
    private const int LongerFinished = 48 - 32;

    // Signatures and nothing else may differ within a certificate's life: an ECDSA one varies by a few bytes with its leading zeros.
    private const int SameSize = 2;

    // More than enough for the handful of lengths that one certificate gives.
    private const int MostLengths = 64;

    private readonly ImmutableArray<ushort> _suites;
    private readonly ImmutableArray<int> _classicLengths;
    private readonly ImmutableArray<int> _postQuantumLengths;
    private readonly int? _classicFull;
    private readonly int? _postQuantumFull;

    /// <param name="suites">By <see cref="TlsSuiteOffer.Code"/>; <see cref="TlsCipherSuites.None"/> where nothing was learned.</param>
    public LearnedFlight(ImmutableArray<ushort> suites) => _suites = suites;

    /// <summary>The group of its answer to hellos with an x25519 share alone.</summary>
    public required ushort ClassicGroup { get; init; }

    /// <summary>The group of its answer to hellos with an X25519MLKEM768 share as well.</summary>
    public required ushort PostQuantumGroup { get; init; }

    public required ServerExtensionOrder Order { get; init; }

    /// <summary>Its hello holds extensions that ours never has.</summary>
    public bool HasOtherExtensions { get; init; }

    /// <summary>
    /// Lengths of one record that is as long on the wire as all encrypted records
    /// of a sample were, as measured with hellos of 517 bytes. One per sample,
    /// so that a length is as frequent here as it is at the cover. For a suite with SHA-256.
    /// </summary>
    public required ImmutableArray<int> ClassicLengths
    {
        get => _classicLengths;
        init => (_classicLengths, _classicFull) = (value, SignatureLengths.FullLengthOf(value));
    }

    /// <summary>The same with post-quantum hellos: they offer extensions to which some servers have more to say.</summary>
    public required ImmutableArray<int> PostQuantumLengths
    {
        get => _postQuantumLengths;
        init => (_postQuantumLengths, _postQuantumFull) = (value, SignatureLengths.FullLengthOf(value));
    }

    /// <summary>When it was measured last.</summary>
    public required DateTimeOffset AsOf { get; init; }

    /// <summary>The longest record of the cover's that was seen, before our own limit.</summary>
    public int LargestLength => Lengths.Max() + (SuiteOf(TlsSuiteOffer.Usual) == TlsCipherSuites.Aes256GcmSha384 ? LongerFinished : 0);

    /// <summary>The shortest one.</summary>
    public int SmallestLength => Lengths.Min() + (SuiteOf(TlsSuiteOffer.Usual) == TlsCipherSuites.Aes256GcmSha384 ? LongerFinished : 0);

    private IEnumerable<int> Lengths => ClassicLengths.Concat(PostQuantumLengths);

    /// <summary>What a sample with this suite is for the lists above.</summary>
    /// <param name="encryptedLength">Bytes of all encrypted records, headers included.</param>
    /// <param name="suite">The cover's choice in that sample.</param>
    public static int LengthOf(int encryptedLength, ushort suite) =>
        encryptedLength - TlsRecordWriter.HeaderLength - (suite == TlsCipherSuites.Aes256GcmSha384 ? LongerFinished : 0);

    /// <summary>The cover's choice; <see cref="TlsCipherSuites.None"/> if it is not known or the cover refuses the offer.</summary>
    public ushort SuiteOf(TlsSuiteOffer offer) => _suites[offer.Code];

    /// <summary>
    /// Bytes for the one encrypted record of a flight: by the law of signatures
    /// where the cover's lengths follow it, else one of those that were seen.
    /// </summary>
    /// <param name="random">The loop's.</param>
    /// <param name="isPostQuantum">The client's hello holds a post-quantum share.</param>
    /// <param name="suite">The one that our flight names.</param>
    public int DrawLength(RandomKeystream random, bool isPostQuantum, ushort suite)
    {
        var lengths = isPostQuantum ? PostQuantumLengths : ClassicLengths;
        var drawn = (isPostQuantum ? _postQuantumFull : _classicFull) is { } full
            ? SignatureLengths.Draw(random, full)
            : lengths[random.Between(0, lengths.Length - 1)];
        var length = drawn + (suite == TlsCipherSuites.Aes256GcmSha384 ? LongerFinished : 0);
        return Math.Min(length, ServerFlight.MaxAppDataLength);
    }

    /// <summary>
    /// This measurement and, while the cover seems to have the same certificate,
    /// those before it: a few samples show two of three lengths.
    /// </summary>
    public LearnedFlight After(LearnedFlight? old)
    {
        if (old is null) return this;
        return new LearnedFlight(_suites)
        {
            ClassicGroup = ClassicGroup,
            PostQuantumGroup = PostQuantumGroup,
            Order = Order,
            HasOtherExtensions = HasOtherExtensions,
            ClassicLengths = Join(old.ClassicLengths, ClassicLengths),
            PostQuantumLengths = Join(old.PostQuantumLengths, PostQuantumLengths),
            AsOf = AsOf,
        };
    }

    /// <summary>An observer would see another server; when it was measured, and how often each length was seen, does not count.</summary>
    public bool LooksLike(LearnedFlight other) =>
        _suites.SequenceEqual(other._suites)
        && (ClassicGroup, PostQuantumGroup, Order, HasOtherExtensions)
            == (other.ClassicGroup, other.PostQuantumGroup, other.Order, other.HasOtherExtensions)
        && AreNear(ClassicLengths, other.ClassicLengths)
        && AreNear(PostQuantumLengths, other.PostQuantumLengths);

    private static ImmutableArray<int> Join(ImmutableArray<int> old, ImmutableArray<int> now) =>
        AreNear(old, now) ? [.. old.Concat(now).TakeLast(MostLengths)] : now;

    // Certificates may differ between the machines behind one name: each length must have its like on the other side.
    private static bool AreNear(ImmutableArray<int> one, ImmutableArray<int> other) =>
        one.All(length => other.Any(near => Math.Abs(near - length) <= SameSize))
        && other.All(length => one.Any(near => Math.Abs(near - length) <= SameSize));
}
