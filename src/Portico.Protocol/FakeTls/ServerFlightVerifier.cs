using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Portico.Protocol.FakeTls;

/// <summary>Why a client does not take an answer for its proxy's.</summary>
public enum ServerFlightFault : byte
{
    /// <summary>It is, or may still become, the right flight.</summary>
    None,

    /// <summary>A TLS alert: a server that dislikes the hello.</summary>
    Alert,

    /// <summary>TLS, but not our three records: most likely a cover answers.</summary>
    OtherServer,

    /// <summary>The three records, signed with another secret or changed on the way.</summary>
    WrongDigest,

    /// <summary>Not TLS.</summary>
    NotTls,
}

/// <summary>
/// The check Telegram's clients make of a server flight (spec/02 sections 6, 7 and 13):
/// exactly three records and the digest over them; nothing inside is looked at.
/// </summary>
public static class ServerFlightVerifier
{
    /// <summary>From the ChangeCipherSpec record to the version of the third record: nine bytes that never differ.</summary>
    private static ReadOnlySpan<byte> Middle =>
    [
        TlsWire.ChangeCipherSpecType, TlsWire.VersionByte, TlsWire.VersionByte, 0, 1, 1,
        TlsWire.ApplicationDataType, TlsWire.VersionByte, TlsWire.VersionByte,
    ];

    /// <summary>Judges everything received so far.</summary>
    /// <param name="answer">All bytes since the hello was sent.</param>
    /// <param name="clientRandom">Bytes 11 to 42 of the hello.</param>
    /// <param name="key">The secret the hello was signed with.</param>
    /// <param name="flightLength">
    /// With Ok: bytes of the flight. Whatever stands behind them makes Telegram's
    /// clients give up, so a proxy must not send it in the same write.
    /// </param>
    /// <param name="fault">With Invalid: what it is instead.</param>
    public static FrameStatus Verify(
        ReadOnlySpan<byte> answer, ReadOnlySpan<byte> clientRandom, HmacKey key, out int flightLength, out ServerFlightFault fault)
    {
        flightLength = 0;
        fault = ServerFlightFault.None;
        if (answer.IsEmpty)
            return FrameStatus.NeedMoreData;
        if (answer[0] != TlsWire.HandshakeType)
        {
            fault = answer[0] == TlsWire.AlertType ? ServerFlightFault.Alert : ServerFlightFault.NotTls;
            return FrameStatus.Invalid;
        }

        var status = TryMeasure(answer, out var length);
        if (status == FrameStatus.Invalid)
            fault = ServerFlightFault.OtherServer;
        if (status != FrameStatus.Ok)
            return status;

        var flight = answer[..length];
        Span<byte> digest = stackalloc byte[HmacKey.DigestLength];
        key.Append(clientRandom);
        key.Append(flight[..TlsWire.RandomOffset]);
        key.Append(TlsWire.ZeroRandom);
        key.Append(flight[TlsWire.RandomEnd..]);
        key.Finish(digest);
        if (!CryptographicOperations.FixedTimeEquals(digest, flight[TlsWire.RandomOffset..TlsWire.RandomEnd]))
        {
            fault = ServerFlightFault.WrongDigest;
            return FrameStatus.Invalid;
        }
        flightLength = length;
        return FrameStatus.Ok;
    }

    private static FrameStatus TryMeasure(ReadOnlySpan<byte> answer, out int length)
    {
        length = 0;
        var status = TlsWire.MatchPrefix(answer, [TlsWire.HandshakeType, TlsWire.VersionByte, TlsWire.VersionByte]);
        if (status != FrameStatus.Ok)
            return status;
        if (answer.Length < TlsWire.RecordHeaderLength)
            return FrameStatus.NeedMoreData;
        var helloEnd = TlsWire.RecordHeaderLength + BinaryPrimitives.ReadUInt16BigEndian(answer[3..]);
        if (helloEnd < TlsWire.RandomEnd)
            return FrameStatus.Invalid;
        if (answer.Length < helloEnd)
            return FrameStatus.NeedMoreData;

        status = TlsWire.MatchPrefix(answer[helloEnd..], Middle);
        if (status != FrameStatus.Ok)
            return status;
        var appData = helloEnd + Middle.Length + 2;
        if (answer.Length < appData)
            return FrameStatus.NeedMoreData;
        length = appData + BinaryPrimitives.ReadUInt16BigEndian(answer[(appData - 2)..]);
        return answer.Length < length ? FrameStatus.NeedMoreData : FrameStatus.Ok;
    }
}
