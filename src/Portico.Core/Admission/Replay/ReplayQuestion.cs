using System.Buffers.Binary;
using Portico.Core.Diagnostics;

namespace Portico.Core.Admission.Replay;

/// <summary>
/// May somebody enter whose first bytes came to a process that has handed over? A kind (1), the time of the hello, little-endian (4), and
/// the beginning. The answer is one byte. The two processes may be of different versions, so the numbers here never change.
/// </summary>
internal static class ReplayQuestion
{
    private const byte Hello = 1, Header = 2;

    private const int BeginningOffset = 5;

    private const byte Enters = 0, IsReplay = 1, IsBeforeStart = 2, HasWrongTime = 3, IsNoQuestion = 255;

    /// <summary>Puts a question to the other process.</summary>
    /// <param name="question">To send.</param>
    /// <returns>Null = no answer.</returns>
    public delegate byte? Ask(ReadOnlySpan<byte> question);

    /// <summary>Asks about a hello.</summary>
    public static bool TryEnterHello(ReadOnlySpan<byte> beginning, uint timestamp, Ask ask, out CloseReason refusal) =>
        IsYes(Put(Hello, beginning, timestamp, ask), out refusal);

    /// <summary>Asks about a header without TLS.</summary>
    public static bool TryEnterHeader(ReadOnlySpan<byte> beginning, Ask ask, out CloseReason refusal) =>
        IsYes(Put(Header, beginning, 0, ask), out refusal);

    /// <summary>The answer to a question.</summary>
    /// <param name="question">As it came.</param>
    /// <param name="replays">What was seen.</param>
    /// <param name="now">Seconds of the loops' clock.</param>
    public static byte Answer(ReadOnlySpan<byte> question, ReplayMemory replays, long now)
    {
        if (question.Length <= BeginningOffset) return IsNoQuestion;
        var beginning = question[BeginningOffset..];
        var timestamp = BinaryPrimitives.ReadUInt32LittleEndian(question[1..]);
        CloseReason refusal;
        switch (question[0])
        {
            case Hello:
                return replays.TryEnterHello(beginning, timestamp, now, out refusal) ? Enters : No(refusal);
            case Header:
                return replays.TryEnterHeader(beginning, now, out refusal) ? Enters : No(refusal);
            default:
                return IsNoQuestion;
        }
    }

    private static byte No(CloseReason reason) => reason switch
    {
        CloseReason.TlsBeforeStart => IsBeforeStart,
        CloseReason.TlsTime => HasWrongTime,
        _ => IsReplay,
    };

    private static bool IsYes(byte? answer, out CloseReason refusal)
    {
        refusal = answer switch
        {
            IsReplay => CloseReason.ReplaySessionDetected,
            IsBeforeStart => CloseReason.TlsBeforeStart,
            HasWrongTime => CloseReason.TlsTime,
            _ => CloseReason.Shutdown,
        };
        return answer == Enters;
    }

    private static byte? Put(byte kind, ReadOnlySpan<byte> beginning, uint timestamp, Ask ask)
    {
        Span<byte> question = stackalloc byte[BeginningOffset + beginning.Length];
        question[0] = kind;
        BinaryPrimitives.WriteUInt32LittleEndian(question[1..], timestamp);
        beginning.CopyTo(question[BeginningOffset..]);
        return ask(question);
    }
}
