using System.Globalization;
using System.Net;
using System.Text;
using Portico.Fuzz.Checking;
using Portico.Protocol;
using Portico.Protocol.WebProxy;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Targets.WebProxy;

/// <summary>One header value, read as each of the kinds that carriers use.</summary>
internal sealed class WebHeaderTarget : TextTarget
{
    private static readonly WebTokenKey Key = WebTokenKey.Create(new byte[WebTokenKey.Length]);

    public override string Name => "web-header";

    public override IReadOnlyCollection<string> Expected { get; } =
        ["Ok Number", "Ok Bearer", "Ok Subprotocol", "Ok Address", "Ok Token", "Invalid"];

    public override IEnumerable<byte[]> Seeds => WebSeeds.Cases("headers", "uint").Concat(WebSeeds.Cases("headers", "bearer"))
        .Concat(WebSeeds.Cases("headers", "subprotocol")).Select(item => item.GetProperty("text").GetString()!)
        .Append(Key.Mint(WebTokenKind.Session, new byte[WebTokenKey.RandomLength])).Append("203.0.113.7").Append("2001:db8::1")
        .Select(Encoding.UTF8.GetBytes);

    public override IReadOnlyList<byte[]> Tokens { get; } = TokensOf(
        "Bearer ", "tproxy-v1.", "tproxy-lane-v1.", ".16777215", "18446744073709551615", "0", "+", "-", " ", "=",
        "::ffff:", "%1", "[", "]");

    public override int MaxLength => 128;

    protected override Outcome Read(string text)
    {
        var lane = 0u;
        if (WebHeaderValue.TryReadNumber(text, out var number))
        {
            Demand(number.ToString(CultureInfo.InvariantCulture) == text, "reads a number in a second spelling");
            Demand(
                WebHeaderValue.TryReadLane(text, out lane) == number <= WebFrameHeader.MaxStream && (lane == 0 || lane == number),
                "reads another lane than number");
            return new Outcome(FrameStatus.Ok, "Number", 0, number, lane > 0 ? 1 : 0);
        }

        Demand(!WebHeaderValue.TryReadLane(text, out lane) && lane == 0, "reads a lane that is no number");
        if (WebHeaderValue.TryReadBearer(text, out var token))
        {
            Demand($"Bearer {token}" == text, "reads a bearer in a second spelling");
            return Of("Bearer", token);
        }

        if (WebHeaderValue.TryReadSubprotocol(text, out token, out lane))
        {
            var spelling = lane == 0 ? $"tproxy-v1.{token}" : $"tproxy-lane-v1.{token}.{lane}";
            Demand(spelling == text, "reads a subprotocol in a second spelling");
            return Of("Subprotocol", token);
        }

        if (Key.TryRead(text, out var ours))
        {
            Span<byte> random = stackalloc byte[WebTokenKey.RandomLength];
            System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(random, ours.Number);
            Demand(Key.Mint(ours.Kind, random) == text, "takes a token that it would not write");
            return Of("Token", text);
        }

        if (!ForwardedAddress.TryFind(IPAddress.Loopback, true, [text], out var client))
            return new Outcome(FrameStatus.Invalid);
        Demand(!client.IsIPv4MappedToIPv6 && IPAddress.Parse(text).MapToIPv6().Equals(client.MapToIPv6()), "reads another address");
        return Of("Address", client.ToString());
    }

    private static Outcome Of(string reason, ReadOnlySpan<char> text) =>
        new(FrameStatus.Ok, reason, 0, new Digest().Add(text.ToString()).Value);
}
