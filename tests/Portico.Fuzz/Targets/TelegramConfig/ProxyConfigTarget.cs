using Portico.Fuzz.Checking;
using Portico.Protocol;
using Portico.Protocol.TelegramConfig;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Targets.TelegramConfig;

/// <summary>What Telegram tells of its middle proxies.</summary>
internal sealed class ProxyConfigTarget : TextTarget
{
    public override string Name => "proxy-config";

    public override IReadOnlyCollection<string> Expected { get; } = ["Ok", "Invalid"];

    public override IEnumerable<byte[]> Seeds => VectorFile.Texts("proxy_config.json", "cases", "text");

    public override IReadOnlyList<byte[]> Tokens { get; } = TokensOf(
        "default ", "proxy_for ", "2", "-32768", "32768", "203", "149.154.175.50:8888", "[2001:67c:4e8:f002::d]:80", "::ffff:1.2.3.4",
        "::1:80", ":0", ":65536", ";", "#", "\n", "\r\n", "\u2028", " ", "\t", "[", "]", "%1", "0x7f.1", "1.2", "010.0.0.1");

    protected override Outcome Read(string text)
    {
        var document = ProxyConfigDocument.Parse(text);
        Demand(
            document.IsValid == document.Dcs.Count > 0
                && document.Faults.Count <= ProxyConfigDocument.MaxFaults
                && document.FaultCount >= document.Faults.Count,
            "counts wrongly");
        Demand(
            document.Dcs.All(dc => document.Endpoints(dc).All(endpoint => endpoint.Port is > 0 and <= 65535)),
            "lists an address that cannot be");
        var written = document.Write();
        var again = ProxyConfigDocument.Parse(written);
        Demand(again.FaultCount == 0 && again.Write() == written, "does not read what it wrote");
        Demand(again.DefaultDc == document.DefaultDc && again.Dcs.SequenceEqual(document.Dcs), "reads another document from what it wrote");
        var shape = Math.Min(document.FaultCount, 7) | Math.Min(document.Dcs.Count, 7) << 3 | (document.DefaultDc is null ? 0 : 64);
        return new Outcome(document.IsValid ? FrameStatus.Ok : FrameStatus.Invalid, "", 0, new Digest().Add(written).Value, shape);
    }
}
