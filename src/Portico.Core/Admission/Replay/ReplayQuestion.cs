using System.Buffers.Binary;
using Portico.Core.Diagnostics;

namespace Portico.Core.Admission.Replay;

/// <summary>
/// May somebody enter whose first bytes came to a process that has handed over? A kind (1), the time of the hello, little-endian (4), and
/// the beginning. The answer is one byte: 0 = yes, else one more than the reason's number.
/// </summary>
internal static class ReplayQuestion
{
    private const byte Hello = 1, Header = 2;

    private const int BeginningOffset = 5;

    private const byte Yes = 0;

    /// <summary>Asks with <paramref name="ask"/>, which answers null when nobody does.</summary>
    public static bool TryEnterHello(ReadOnlySpan<byte> beginning, uint timestamp, Ask ask, out CloseReason refusal)
    {
        var answer = Put(Hello, beginning, timestamp, ask);
        var reason = (CloseReason)((answer ?? 0) - 1);
        refusal = answer is not null and not Yes && Enum.IsDefined(reason) ? reason : CloseReason.Shutdown;
        return answer == Yes;
    }

    /// <summary>Likewise.</summary>
    public static bool TryEnterHeader(ReadOnlySpan<byte> beginning, Ask ask) => Put(Header, beginning, 0, ask) == Yes;

    /// <summary>The answer to a question.</summary>
    /// <param name="question">As it came.</param>
    /// <param name="replays">What was seen.</param>
    /// <param name="now">Seconds of the loops' clock.</param>
    public static byte Answer(ReadOnlySpan<byte> question, ReplayMemory replays, long now)
    {
        var refusal = CloseReason.Shutdown;
        if (question.Length <= BeginningOffset) return No(refusal);
        var beginning = question[BeginningOffset..];
        var timestamp = BinaryPrimitives.ReadUInt32LittleEndian(question[1..]);
        var enters = question[0] switch
        {
            Hello => replays.TryEnterHello(beginning, timestamp, now, out refusal),
            Header => replays.TryEnterHeader(beginning, now),
            _ => false,
        };
        return enters ? Yes : No(refusal);
    }

    /// <summary>Puts a question to the other process.</summary>
    /// <param name="question">To send.</param>
    /// <returns>Null = no answer.</returns>
    public delegate byte? Ask(ReadOnlySpan<byte> question);

    private static byte No(CloseReason reason) => (byte)(reason + 1);

    private static byte? Put(byte kind, ReadOnlySpan<byte> beginning, uint timestamp, Ask ask)
    {
        Span<byte> question = stackalloc byte[BeginningOffset + beginning.Length];
        question[0] = kind;
        BinaryPrimitives.WriteUInt32LittleEndian(question[1..], timestamp);
        beginning.CopyTo(question[BeginningOffset..]);
        return ask(question);
    }
}
