using System.Security.Cryptography;
using Portico.Core.Net;
using Portico.Protocol;
using Portico.TestKit.Clients;
using Portico.TestKit.Proxies;
using Portico.TestKit.Telegram;
using Xunit;

namespace Portico.IntegrationTests.Backends;

public sealed class TransferTests
{
    private const int FrameSize = 65536;
    private const uint FramesOf32MB = 32 * 1024 * 1024 / FrameSize;

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_download_of_32_MB_arrives_whole_in_records_that_every_client_takes(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        await using var client = await test.GreetAsync();
        await client.DownloadAsync(FramesOf32MB, FrameSize);
        Assert.InRange(client.LongestRecord, 1, 8192 + 17);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task An_upload_of_32_MB_arrives_whole(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        await using var client = await test.GreetAsync();
        await client.UploadAsync(FramesOf32MB, FrameSize);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Without_pass_through_the_bytes_are_the_same(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(
            engine, settings => settings with { Direct = settings.Direct with { PassThrough = false } });
        foreach (var profile in new ClientProfile[] { new(), new() { Mode = ClientMode.Plain, Transport = Transport.Abridged } })
        {
            await using var client = await test.GreetAsync(profile);
            await client.EchoAsync(1000);
            await client.DownloadAsync(64, FrameSize);
            await client.UploadAsync(64, FrameSize);
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_client_with_little_room_gets_every_byte(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        await using var client = await test.GreetAsync(receiveBuffer: 4096);
        await client.DownloadAsync(32, FrameSize);
        await client.EchoAsync(100);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Both_directions_run_at_once(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        await using var client = await test.GreetAsync();
        await client.AskForAsync(128, FrameSize);
        var download = client.ExpectSourceAsync(128, FrameSize);
        var frame = new byte[TestFrame.HeaderLength + FrameSize];
        for (uint sequence = 0; sequence < 128; sequence++)
        {
            TestFrame.WritePattern(frame, TestCommand.Sink, sequence, FrameSize);
            await client.SendAsync(frame);
        }
        await download;
        await client.ExpectReportAsync(128, 128 * FrameSize);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Many_packets_come_back_in_order(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        await using var client = await test.GreetAsync();
        var bodies =
            Enumerable.Range(0, 3000).Select(_ => RandomNumberGenerator.GetBytes(RandomNumberGenerator.GetInt32(1, 400))).ToArray();
        async Task ReceiveAllAsync()
        {
            foreach (var body in bodies)
                await client.ExpectEchoAsync(body);
        }
        var receiving = ReceiveAllAsync();
        foreach (var body in bodies)
            await client.SendAsync(TestFrame.Create(TestCommand.Echo, body));
        await receiving;
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Many_clients_are_served_side_by_side(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        async Task OneAsync(short dc)
        {
            await using var client = await test.GreetAsync(new ClientProfile { Dc = dc });
            for (var i = 0; i < 5; i++)
                await client.EchoAsync(500);
            await client.DownloadAsync(4, FrameSize);
        }
        await Task.WhenAll(Enumerable.Range(0, 100).Select(i => OneAsync((short)(1 + i % 5))));
        Assert.Equal(100, test.Telegram.Connections.Count);
        Assert.All(test.Telegram.Connections.CountBy(connection => connection.DcId), item => Assert.Equal(20, item.Value));
        await test.UntilClosedAsync("client_closed", "client", 100);
        await test.UntilEmptyAsync();
    }
}
