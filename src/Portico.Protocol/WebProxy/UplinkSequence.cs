using System.Buffers;
using System.Security.Cryptography;

namespace Portico.Protocol.WebProxy;

/// <summary>What to do with a request that carries frames up.</summary>
public enum UplinkVerdict : byte
{
    /// <summary>It is the next: apply it, then say <see cref="UplinkSequence.Complete"/> or <see cref="UplinkSequence.Abandon"/>.</summary>
    Apply,

    /// <summary>The last once more, as its answer was lost: answer again, apply nothing.</summary>
    Repeat,

    /// <summary>The same number is still being worked on: ask the client to come again.</summary>
    Busy,

    /// <summary>A number that is none. The session lives.</summary>
    Refuse,

    /// <summary>Frames are missing, or two requests claim one number: the session ends.</summary>
    End,
}

/// <summary>
/// The numbers of the requests that carry one session's or one lane's frames up: from 1, each once, in order, whatever is lost on the
/// way. Belongs to one thread at a time.
/// </summary>
public sealed class UplinkSequence
{
    /// <summary>Length of a digest, in bytes.</summary>
    public const int DigestLength = SHA256.HashSizeInBytes;

    private readonly byte[] _lastDigest = new byte[DigestLength];
    private readonly byte[] _nextDigest = new byte[DigestLength];
    private bool _isBusy;

    /// <summary>The number of the last request that was applied; 0 before the first.</summary>
    public ulong Last { get; private set; }

    /// <summary>SHA-256 of a body: what tells a repetition from another request with its number.</summary>
    /// <param name="body">The body.</param>
    /// <param name="digest">Takes 32 bytes.</param>
    public static void Digest(in ReadOnlySequence<byte> body, Span<byte> digest)
    {
        if (body.IsSingleSegment)
        {
            SHA256.HashData(body.FirstSpan, digest);
            return;
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in body)
            hash.AppendData(part.Span);
        hash.GetHashAndReset(digest);
    }

    /// <summary>Judges a request.</summary>
    /// <param name="number">Its number.</param>
    /// <param name="digest">Of its body.</param>
    public UplinkVerdict Begin(ulong number, ReadOnlySpan<byte> digest)
    {
        if (number == 0)
            return UplinkVerdict.Refuse;
        if (number == Last)
            return digest.SequenceEqual(_lastDigest) ? UplinkVerdict.Repeat : UplinkVerdict.End;
        if (number != Last + 1)
            return UplinkVerdict.End;
        if (_isBusy)
            return UplinkVerdict.Busy;
        _isBusy = true;
        digest.CopyTo(_nextDigest);
        return UplinkVerdict.Apply;
    }

    /// <summary>The request under way was applied.</summary>
    /// <returns>Its number, for the answer.</returns>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public ulong Complete()
    {
        Leave();
        _nextDigest.CopyTo(_lastDigest, 0);
        return ++Last;
    }

    /// <summary>The request under way found no room: nothing of it was applied, and its number may come again.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public void Abandon() => Leave();

    private void Leave()
    {
        if (!_isBusy)
            throw new InvalidOperationException("no request is under way");
        _isBusy = false;
    }
}
