using System.Globalization;

namespace Portico.Protocol.WebProxy;

/// <summary>
/// The values of the headers that carriers use. Each has one spelling; every other is refused, so that no two readers
/// on the way can understand one value differently.
/// </summary>
public static class WebHeaderValue
{
    private const string BearerStart = "Bearer ";
    private const string SocketStart = "tproxy-v1.";
    private const string LaneSocketStart = "tproxy-lane-v1.";

    /// <summary>A sequence number or cursor: decimal digits without a zero in front, below 2^64.</summary>
    public static bool TryReadNumber(ReadOnlySpan<char> value, out ulong number)
    {
        // The framework would also take null characters behind the digits.
        if (ulong.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out number)
            && char.IsAsciiDigit(value[^1]) && (value.Length == 1 || value[0] != '0'))
            return true;
        number = 0;
        return false;
    }

    /// <summary>The number of a lane: that of its stream, or 0 for what belongs to no stream.</summary>
    public static bool TryReadLane(ReadOnlySpan<char> value, out uint lane)
    {
        var isLane = TryReadNumber(value, out var number) && number <= WebFrameHeader.MaxStream;
        lane = isLane ? (uint)number : 0;
        return isLane;
    }

    /// <summary><c>Bearer TOKEN</c> with one blank (RFC 6750, section 2.1, but the scheme in this case only).</summary>
    /// <param name="value">Of an Authorization header.</param>
    /// <param name="token">The 43 characters; whose they are is not known yet.</param>
    public static bool TryReadBearer(ReadOnlySpan<char> value, out ReadOnlySpan<char> token)
    {
        token = default;
        if (!value.StartsWith(BearerStart))
            return false;
        token = value[BearerStart.Length..];
        return CredentialText.IsValid(token);
    }

    /// <summary>
    /// What a WebSocket carries its token in: <c>tproxy-v1.TOKEN</c>, or <c>tproxy-lane-v1.TOKEN.STREAM</c> for one stream.
    /// </summary>
    /// <param name="value">One entry of Sec-WebSocket-Protocol.</param>
    /// <param name="token">The 43 characters; whose they are is not known yet.</param>
    /// <param name="lane">The stream, from 1; 0 without one.</param>
    public static bool TryReadSubprotocol(ReadOnlySpan<char> value, out ReadOnlySpan<char> token, out uint lane)
    {
        token = default;
        lane = 0;
        if (value.StartsWith(SocketStart))
        {
            token = value[SocketStart.Length..];
            return CredentialText.IsValid(token);
        }

        if (!value.StartsWith(LaneSocketStart))
            return false;
        var rest = value[LaneSocketStart.Length..];
        if (rest.Length <= CredentialText.Length || rest[CredentialText.Length] != '.')
            return false;
        token = rest[..CredentialText.Length];
        return CredentialText.IsValid(token) && TryReadLane(rest[(CredentialText.Length + 1)..], out lane) && lane != 0;
    }
}
