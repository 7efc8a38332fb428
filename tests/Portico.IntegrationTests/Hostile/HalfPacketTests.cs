using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Portico.Core.Net;
using Portico.IntegrationTests.Commands;
using Portico.IntegrationTests.MiddleProxy;
using Portico.TestKit.Clients;
using Portico.TestKit.Telegram;
using Portico.TestKit.Wires;
using Xunit;
using Xunit.Abstractions;

namespace Portico.IntegrationTests.Hostile;

/// <summary>A thousand clients announce a packet of 900 KB, send a few bytes of it and fall silent.</summary>
[Collection(nameof(Siege))]
[Trait(Suite.Trait, Suite.Minutes)]
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
public sealed class HalfPacketTests(ITestOutputHelper output)
{
    private const int Clients = 1000, Announced = 900_000, Sent = 73;
    private const long MostGrowth = 64 << 20;

    [Theory]
    [InlineData(EngineKind.Epoll, false)]
    [InlineData(EngineKind.Epoll, true)]
    [InlineData(EngineKind.Sockets, false)]
    [InlineData(EngineKind.Sockets, true)]
    public async Task A_thousand_half_packets_cost_little_and_each_ends_after_a_minute_where_packets_are_cut(
        EngineKind engine, bool isMiddle)
    {
        await using var network = FakeTelegramNetwork.Start([2]);
        var middle = new Dictionary<string, string>
        {
            ["PORTICO__backend__mode"] = "middle",
            ["PORTICO__backend__middle__secretUrl"] = $"{network.Site.SecretUrl}",
            ["PORTICO__backend__middle__configUrl"] = $"{network.Site.ConfigUrl}",
            ["PORTICO__backend__middle__configV6Url"] = $"{network.Site.ConfigV6Url}",
            ["PORTICO__backend__middle__externalIp"] = "127.0.0.1",
        };
        await using var proxy = await ProxyProcess.StartAsync(engine, ["--log-level", "debug"], isMiddle ? middle : null);
        for (var i = 0; i < 20; i++) await proxy.ServeAsync(ClientKind.Intermediate.Profile());
        var before = proxy.ResidentBytes;

        var clients = new List<FakeClient>();
        var packet = new byte[sizeof(int) + Sent];
        BinaryPrimitives.WriteInt32LittleEndian(packet, Announced);
        for (var i = 0; i < Clients; i++)
        {
            clients.Add(await proxy.GreetAsync(ClientKind.Intermediate.Profile()));
            await clients[i].Wire.SendAsync(clients[i].Encipher(packet));
        }

        var began = Stopwatch.GetTimestamp();
        var last = await proxy.GreetAsync(ClientKind.Intermediate.Profile());
        await last.EchoAsync(64); // behind all of them
        await last.DisposeAsync();
        var growth = proxy.ResidentBytes - before;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{engine}, {(isMiddle ? "middle" : "direct")}: {growth / 1048576.0:0.0} MiB"));
        Assert.InRange(growth, long.MinValue, MostGrowth);

        // Direct mode passes on what came and waits for nothing: there is no half packet in it to end.
        if (isMiddle)
        {
            var ends = await Task.WhenAll(clients.Select(async client =>
                (await client.Wire.ReadSomeAsync(new byte[1], TimeSpan.FromSeconds(80))).End));
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"ended after {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s"));
            Assert.DoesNotContain(PeerEnd.Timeout, ends);
        }

        foreach (var client in clients) await client.DisposeAsync();
        var (_, text, errors) = await proxy.StopAsync();
        if (isMiddle) Assert.Equal(Clients, Regex.Count(text + errors, "packet_timeout"));
    }
}
