using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Portico.IntegrationTests;
using Portico.TestKit.Statistics;
using Portico.Web.Tests.Staging;
using Xunit;
using Xunit.Abstractions;

namespace Portico.Web.Tests.Site;

/// <summary>A prober does not find out by a clock either that there is anything but a site.</summary>
[Collection(nameof(Measured))]
[Trait(Suite.Trait, Suite.Minutes)]
public sealed class StrangerTimeTests(ITestOutputHelper output)
{
    private const int Requests = 10_000, WarmUp = 2000;

    // What is this improbable by chance happens once in fifty runs of a case by chance, and is then looked at once more.
    private const double Level = 0.01;

    // In the form of a credential, and none.
    private const string Wrong = "pHRQ3XBenWUI--SSE3raNYQqct-M8bG4LHcqKMDgjjQ";

    // Of the same length, and not in that form.
    private const string Plain = "pHRQ3XBenWUI.SSE3raNYQqct.M8bG4LHcqKMDgj.jQ";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task A_wrong_capability_takes_as_long_as_any_page(bool isUpstream) =>
        AssertSameAsync(isUpstream, Get($"/?bridge={Wrong}"), Get($"/?search={Plain}"));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task A_wrong_capability_takes_as_long_as_the_same_characters_elsewhere(bool isUpstream) =>
        AssertSameAsync(isUpstream, Get($"/?bridge={Wrong}"), Get($"/?search={Wrong}"));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task A_wrong_token_takes_as_long_on_a_path_of_ours_as_on_any_other(bool isUpstream) =>
        AssertSameAsync(isUpstream, Post("/api/v1/up"), Post("/bpi/v1/up"));

    private static string Get(string target) => $"GET {target} HTTP/1.1\r\nHost: {WebHostUnderTest.Host}\r\n\r\n";

    private static string Post(string target) =>
        $"POST {target} HTTP/1.1\r\nHost: {WebHostUnderTest.Host}\r\nAuthorization: Bearer {Wrong}\r\nX-Up-Seq: 1\r\n"
        + "Content-Type: application/octet-stream\r\nContent-Length: 8\r\n\r\n\u0001\0\0\u0001\0\0\0\0";

    private async Task AssertSameAsync(bool isUpstream, string one, string other)
    {
        await using var site = new RecordingSite();
        var root = Directory.CreateTempSubdirectory("portico-site-");
        await File.WriteAllTextAsync(Path.Combine(root.FullName, "index.html"), "<!DOCTYPE html><title>A site</title>");
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup
        {
            Change = settings => isUpstream
                ? settings with { SiteUpstream = site.Address }
                : settings with { Site = root.FullName },
        });
        root.Delete(recursive: true);
        for (var isLast = false; ; isLast = true)
        {
            var (ofOne, ofOther) = await Task.Factory.StartNew(
                () => Measure((IPEndPoint)host.Server.Address, one, other), TaskCreationOptions.LongRunning);
            var place = TwoSamples.ProbabilityOfSamePlace(ofOne, ofOther);
            var shape = TwoSamples.ProbabilityOfSameShape(ofOne, ofOther);
            var (median, medianOfOther) = (Median(ofOne), Median(ofOther));
            output.WriteLine($"{median:0.00} and {medianOfOther:0.00} us, p {place:0.000} by ranks and {shape:0.000} by shape");
            if (place > Level && shape > Level) return;
            Assert.False(isLast, $"{median:0.00} and {medianOfOther:0.00} us differ: p {place:g3} by ranks, {shape:g3} by shape");
        }
    }

    // In an order by chance on one connection: whatever else happens on this machine happens to both.
    private static (List<double> One, List<double> Other) Measure(IPEndPoint server, string one, string other)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(server);
        byte[][] requests = [Encoding.Latin1.GetBytes(one), Encoding.Latin1.GetBytes(other)];
        List<double>[] times = [new(Requests), new(Requests)];
        var (buffer, random) = (new byte[64 * 1024], new Random(11));
        for (var i = 0; i < WarmUp; i++) Ask(socket, requests[i % 2], buffer);
        while (times[0].Count < Requests || times[1].Count < Requests)
        {
            var which = random.Next(2);
            if (times[which].Count == Requests) which ^= 1;
            times[which].Add(Ask(socket, requests[which], buffer));
        }

        return (times[0], times[1]);
    }

    private static double Ask(Socket socket, byte[] request, byte[] buffer)
    {
        var began = Stopwatch.GetTimestamp();
        socket.Send(request);
        var length = 0;
        do
        {
            var count = socket.Receive(buffer, length, buffer.Length - length, SocketFlags.None);
            Assert.NotEqual(0, count);
            length += count;
        }
        while (!RawHttp.IsWhole(Encoding.Latin1.GetString(buffer, 0, length), hasNoBody: false));

        return Stopwatch.GetElapsedTime(began).TotalMicroseconds;
    }

    private static double Median(List<double> times) => times.Order().ElementAt(times.Count / 2);
}
