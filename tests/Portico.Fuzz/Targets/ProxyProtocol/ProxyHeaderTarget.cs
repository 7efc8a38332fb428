using System.Net;
using Portico.Fuzz.Checking;
using Portico.Protocol;
using Portico.Protocol.ProxyProtocol;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Targets.ProxyProtocol;

/// <summary>What a balancer says of the connection that it passes on.</summary>
internal sealed class ProxyHeaderTarget : ResumableTarget
{
    private static readonly IPEndPoint Source = IPEndPoint.Parse("192.0.2.1:50000"), Destination = IPEndPoint.Parse("198.51.100.2:443");

    private static readonly IPEndPoint SourceV6 = IPEndPoint.Parse("[2001:db8::1]:1"), DestinationV6 = IPEndPoint.Parse("[::1]:65535");

    public override string Name => "proxy-header";

    public override IReadOnlyCollection<string> Expected { get; } = ["Ok Named", "Ok Own", "NeedMoreData", "Invalid"];

    public override IEnumerable<byte[]> Seeds =>
    [
        Written(1, Source, Destination), Written(1, SourceV6, DestinationV6), Written(1, null, null),
        Written(2, Source, Destination), Written(2, SourceV6, DestinationV6), Written(2, null, null),
        [.. "PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n"u8],
    ];

    public override IReadOnlyList<byte[]> Tokens { get; } =
    [
        [.. "PROXY "u8], [.. "TCP4 "u8], [.. "TCP6 "u8], [.. "UNKNOWN"u8], [.. "\r\n"u8], [.. " 0"u8], [.. "::ffff:"u8],
        [0x21, 0x21, 0, 36],
    ];

    public override int MaxLength => 512;

    protected override int MostUndecided => ProxyHeader.MaxReadLength - 1;

    protected override Outcome Parse(Span<byte> bytes)
    {
        var status = ProxyHeader.TryRead(bytes, out var length, out var source, out var destination);
        Demand(source is null == destination is null, "gives one address alone");
        Demand(status == FrameStatus.Ok ? length > 0 && length <= bytes.Length : length == 0 && source is null, "gives more than it read");
        if (status != FrameStatus.Ok) return new Outcome(status);
        var digest = new Digest().Add(length).Add(source?.GetHashCode() ?? 0).Add(destination?.GetHashCode() ?? 0);
        return new Outcome(status, source is null ? "Own" : "Named", length, digest.Value);
    }

    protected override void CheckResult(ReadOnlySpan<byte> input, Outcome outcome)
    {
        if (outcome.Reason != "Named") return;
        ProxyHeader.TryRead(input, out _, out var source, out var destination);
        foreach (var version in new[] { 1, 2 })
        {
            Demand(
                ProxyHeader.TryRead(Written(version, source, destination), out _, out var from, out var to) == FrameStatus.Ok
                    && from!.Equals(source) && to!.Equals(destination),
                "does not read what was written of it");
        }
    }

    private static byte[] Written(int version, IPEndPoint? source, IPEndPoint? destination)
    {
        var target = new byte[ProxyHeader.MaxLength];
        return target[..ProxyHeader.Write(target, version, source, destination)];
    }
}
