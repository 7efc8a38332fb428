using Portico.Fuzz.Checking;
using Portico.Protocol;
using Portico.Protocol.WebProxy;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Targets.WebProxy;

/// <summary>What stands in front of a frame.</summary>
internal sealed class WebFrameHeaderTarget : ResumableTarget
{
    public override string Name => "web-frame-header";

    public override IReadOnlyCollection<string> Expected { get; } = ["Ok", "NeedMoreData", "Invalid UnknownType", "Invalid TooLarge"];

    public override IEnumerable<byte[]> Seeds =>
        WebSeeds.Cases("frames", "encode").Bytes("frame").Concat(WebSeeds.Cases("frames", "batches").Bytes("body"));

    public override IReadOnlyList<byte[]> Tokens => WebSeeds.Tokens;

    public override int MaxLength => 32;

    protected override int MostUndecided => WebFrameHeader.Length;

    protected override Outcome Parse(Span<byte> bytes)
    {
        var status = WebFrameHeader.TryRead(bytes, out var header, out var error);
        Demand(status == FrameStatus.Invalid == (error != WebProxyError.None), "refuses without a reason, or gives one and does not");
        if (status != FrameStatus.Ok)
        {
            Demand(header == default, "gives a header that it has not read");
            return Outcome.Of(status, error);
        }

        Demand(
            header.Stream <= WebFrameHeader.MaxStream && header.PayloadLength is >= 0 and <= WebFrameHeader.MaxPayload,
            "gives what the format cannot express");
        var written = new byte[WebFrameHeader.Length];
        Demand(header.Write(written) == written.Length && bytes.StartsWith(written), "does not write what it read");
        return new Outcome(status, "", WebFrameHeader.Length, new Digest().Add(written).Value, (int)header.Type);
    }
}
