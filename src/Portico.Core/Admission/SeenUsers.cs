using System.Numerics;

namespace Portico.Core.Admission;

/// <summary>
/// Which users of a listener had a client with a way to Telegram: since the start, and since somebody asked. Two bits for each; shared by
/// all loops.
/// </summary>
/// <param name="count">How many users there are.</param>
internal sealed class SeenUsers(int count)
{
    private const int Bits = 64;

    private readonly long[] _ever = new long[(count + Bits - 1) / Bits];
    private readonly long[] _lately = new long[(count + Bits - 1) / Bits];

    /// <summary>A client of this user has a way to Telegram. True for the first one since the start.</summary>
    public bool Note(int user)
    {
        Set(ref _lately[user / Bits], 1L << (user % Bits));
        return Set(ref _ever[user / Bits], 1L << (user % Bits));
    }

    /// <summary>How many there were since the last call.</summary>
    public int TakeLately()
    {
        var users = 0;
        foreach (ref var word in _lately.AsSpan()) users += BitOperations.PopCount((ulong)Interlocked.Exchange(ref word, 0));
        return users;
    }

    // Looked at before it is written: nearly always the bit is there, and the word stays in every core's cache.
    private static bool Set(ref long word, long bit) => (Volatile.Read(ref word) & bit) == 0 && (Interlocked.Or(ref word, bit) & bit) == 0;
}
