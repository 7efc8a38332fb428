using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Portico.Core.Net;
using Portico.Protocol.FakeTls;
using Portico.TestKit.Covers;
using Portico.TestKit.Proxies;
using Portico.TestKit.Wires;
using Xunit;
using Xunit.Abstractions;

namespace Portico.IntegrationTests.Cover;

/// <summary>
/// How long the records of a download are at real servers, and ours beside them: what an observer sees of an hour of
/// Telegram is mostly lengths of full records (docs/protocol/fake-tls.md has what this measured).
/// </summary>
public sealed class RecordLengthTests(ITestOutputHelper output)
{
    // More would make clients close (TDLib, Android, iOS).
    private const int MostClientsTake = 16384;

    private const string Download = "download";

    private static readonly byte[] Megabyte = new byte[1 << 20];

    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    [ToolTheory(NginxCover.Program)]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_download_through_the_proxy_fills_its_records_as_nginx_does_with_a_buffer_of_8_KB(EngineKind engine)
    {
        await using var nginx = await StartNginxAsync("8k");
        await using var proxy = ProxyUnderTest.Start(engine);
        await using var client = await proxy.GreetAsync();
        await client.DownloadAsync(16, 64 * 1024);
        Assert.Equal(TlsRecordWriter.UsualPayload, client.LongestRecord);
        Assert.Equal(TlsRecordWriter.UsualPayload, await UsualLengthAsync(nginx));
    }

    [ToolTheory(NginxCover.Program)]
    [InlineData("4k", 4096 + 17)]
    [InlineData(null, 16384 + 17)]
    public async Task Nginx_fills_its_records_up_to_its_buffer(string? buffer, int length)
    {
        await using var nginx = await StartNginxAsync(buffer);
        Assert.Equal(length, await UsualLengthAsync(nginx));
    }

    [ToolFact(OpensslCover.Program)]
    public async Task Openssl_fills_its_records_beyond_what_clients_take()
    {
        await using var openssl = await OpensslCover.StartAsync("-WWW");
        File.WriteAllBytes(Path.Combine(openssl.Folder, Download), Megabyte);
        Assert.Equal(16384 + 17, await UsualLengthAsync(openssl));
    }

    [ToolFact(HaproxyCover.Program, NginxCover.Program)]
    public async Task HAProxy_fills_its_records_nearly_as_far_and_never_to_what_was_ours()
    {
        await using var nginx = await StartNginxAsync();
        await using var haproxy = await HaproxyCover.StartAsync(Long, site: nginx.Endpoint);
        // it depends on the version how much of its buffer of 16 KB is kept for itself
        Assert.InRange(await UsualLengthAsync(haproxy), 15 * 1024, 16384 + 17);
    }

    private static Task<NginxCover> StartNginxAsync(string? buffer = null) =>
        NginxCover.StartAsync(Long, prepare: site => File.WriteAllBytes(Path.Combine(site, Download), Megabyte), buffer: buffer);

    // What most records of a download carry: heads of answers and ends of buffers are shorter.
    private async Task<int> UsualLengthAsync(CoverServer cover)
    {
        var lengths = (await DownloadAsync(cover.Endpoint)).CountBy(length => length).OrderByDescending(pair => pair.Value).ToArray();
        output.WriteLine(string.Join(", ", lengths.Select(pair => $"{pair.Value} of {pair.Key}")));
        Assert.True(lengths[0].Value > Megabyte.Length / (2 * (16384 + 17)), "no length is usual");
        Assert.NotEqual(MostClientsTake, lengths[0].Key);
        return lengths[0].Key;
    }

    // The payloads of all records that came for one request.
    private static async Task<List<int>> DownloadAsync(IPEndPoint server)
    {
        using var patience = new CancellationTokenSource(Wire.Patience);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server, patience.Token);
        await using var tap = new Tap(socket);
        await using var tls = new SslStream(
            tap, leaveInnerStreamOpen: true, (_, shown, _, _) => shown?.Subject == $"CN={CoverServer.Name}");
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = CoverServer.Name }, patience.Token);
        await tls.WriteAsync(
            Encoding.ASCII.GetBytes($"GET /{Download} HTTP/1.1\r\nHost: {CoverServer.Name}\r\nConnection: close\r\n\r\n"), patience.Token);
        using var answer = new MemoryStream();
        await tls.CopyToAsync(answer, patience.Token);
        Assert.InRange(answer.Length, Megabyte.Length, Megabyte.Length + 1024);
        return Lengths(tap.Seen.ToArray());
    }

    private static List<int> Lengths(ReadOnlySpan<byte> records)
    {
        var lengths = new List<int>();
        while (!records.IsEmpty)
        {
            lengths.Add(BinaryPrimitives.ReadUInt16BigEndian(records[3..]));
            records = records[(TlsRecordWriter.HeaderLength + lengths[^1])..];
        }
        return lengths;
    }

    /// <summary>Keeps what comes, as it comes.</summary>
    private sealed class Tap(Socket socket) : NetworkStream(socket)
    {
        public MemoryStream Seen { get; } = new();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = await base.ReadAsync(buffer, cancellationToken);
            Seen.Write(buffer.Span[..count]);
            return count;
        }
    }
}
