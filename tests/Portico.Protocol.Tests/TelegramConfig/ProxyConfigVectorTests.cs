using System.Net;
using System.Text.Json;
using Portico.Protocol.TelegramConfig;
using Xunit;

namespace Portico.Protocol.Tests.TelegramConfig;

public class ProxyConfigVectorTests
{
    private const string File = "proxy_config.json";

    public static TheoryData<int> Recorded => Vectors.Indexes(File, "cases");

    [Theory]
    [MemberData(nameof(Recorded))]
    public void Documents_are_read_as_recorded(int index)
    {
        var item = Vectors.Cases(File, "cases")[index];
        var document = ProxyConfigDocument.Parse(item.Text("text"));

        var defaultDc = item.GetProperty("default_dc");
        Assert.Equal(defaultDc.ValueKind == JsonValueKind.Null ? null : defaultDc.GetInt16(), document.DefaultDc);
        Assert.Equal(
            item.GetProperty("proxies").EnumerateObject()
                .Select(dc => $"{dc.Name}: {string.Join(", ", dc.Value.EnumerateArray().Select(Endpoint))}"),
            document.Dcs.Select(dc => $"{dc}: {string.Join(", ", document.Endpoints(dc))}"));
        Assert.Equal(item.GetProperty("proxies").EnumerateObject().Any(), document.IsValid);
        Assert.Equal(item.Text("name") == "bad_lines_skipped" ? [1, 2, 3, 4, 5] : [], document.Faults.Select(fault => fault.Line));
    }

    [Theory]
    [MemberData(nameof(Recorded))]
    public void What_was_read_is_written_so_that_it_reads_the_same(int index)
    {
        var document = ProxyConfigDocument.Parse(Vectors.Cases(File, "cases")[index].Text("text"));
        var again = ProxyConfigDocument.Parse(document.Write());

        Assert.Equal(document.DefaultDc, again.DefaultDc);
        Assert.Equal(All(document), All(again));
        Assert.Equal(0, again.FaultCount);
    }

    [Theory]
    [MemberData(nameof(Recorded))]
    public void A_download_that_ends_early_gives_what_was_complete(int index)
    {
        var text = Vectors.Cases(File, "cases")[index].Text("text");
        var whole = All(ProxyConfigDocument.Parse(text)).ToHashSet();

        for (var length = 0; length <= text.Length; length++)
        {
            var cut = ProxyConfigDocument.Parse(text[..length]);

            // Of all that came before the last line nothing may differ. The last line may read as another port or id, or as a fault.
            var complete = ProxyConfigDocument.Parse(text[..(text[..length].LastIndexOf('\n') + 1)]);
            Assert.All(All(complete), one => Assert.Contains(one, whole));
            Assert.Equal(All(complete), All(cut).Where(one => All(complete).Contains(one)));
            Assert.InRange(All(cut).Count(), All(complete).Count(), All(complete).Count() + 1);
        }
    }

    private static IPEndPoint Endpoint(JsonElement pair) => new(IPAddress.Parse(pair[0].GetString()!), pair[1].GetInt32());

    private static IEnumerable<(short Dc, IPEndPoint Endpoint)> All(ProxyConfigDocument document) =>
        document.Dcs.SelectMany(dc => document.Endpoints(dc).Select(endpoint => (dc, endpoint)));
}
