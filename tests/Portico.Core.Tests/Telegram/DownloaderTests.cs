using System.Net;
using Portico.Core.Telegram;
using Portico.Core.Tests.Staging;
using Portico.TestKit.Time;
using Xunit;

namespace Portico.Core.Tests.Telegram;

public sealed class DownloaderTests : IDisposable
{
    private const string Url = "https://site.example/a";
    private const int Limit = 10;

    private readonly StageSite _site = new();
    private readonly TimerWatch _time = new(new ManualTime());
    private readonly Downloader _downloader;

    public DownloaderTests() => _downloader = new Downloader(_site, UpdaterStage.HttpTimeout, _time);

    public void Dispose()
    {
        _downloader.Dispose();
        Assert.Equal(0, _time.Open);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(Limit)]
    public async Task A_body_within_the_limit_comes_whole(int length)
    {
        var body = Enumerable.Range(1, length).Select(i => (byte)i).ToArray();
        _site.Serve(Url, body);

        var download = await GetAsync();

        Assert.Equal(DownloadResult.Ok, download.Result);
        Assert.Equal(body, download.Body);
        Assert.Matches(@"^portico/\d+\.\d+\.\d+$", Assert.Single(_site.UserAgents));
    }

    [Fact]
    public async Task A_body_that_announces_too_much_is_not_read()
    {
        _site.Serve(Url, new byte[Limit + 1]);
        Assert.Equal(DownloadResult.TooLarge, (await GetAsync()).Result);
    }

    [Fact]
    public async Task A_body_without_end_is_left_at_the_limit()
    {
        var endless = new EndlessStream();
        _site.Serve(Url, endless);
        Assert.Equal(DownloadResult.TooLarge, (await GetAsync()).Result);
        Assert.InRange(endless.Position, Limit + 1, 1024);
    }

    [Fact]
    public async Task A_body_that_breaks_off_is_no_body()
    {
        _site.Serve(Url, new EndlessStream { FailsAt = 5 });
        Assert.Equal(DownloadResult.Unreachable, (await GetAsync()).Result);
    }

    [Theory]
    [InlineData(HttpStatusCode.InternalServerError)]
    [InlineData(HttpStatusCode.NotFound)]
    [InlineData(HttpStatusCode.NoContent)]
    [InlineData(HttpStatusCode.PartialContent)]
    public async Task Only_status_200_counts(HttpStatusCode status)
    {
        _site.Serve(Url, [1, 2, 3], status);

        var download = await GetAsync();

        Assert.Equal(DownloadResult.Status, download.Result);
        Assert.Contains($"{(int)status}", download.Reason, StringComparison.Ordinal);
        Assert.Empty(download.Body);
    }

    [Fact]
    public async Task A_silent_site_is_left_in_time()
    {
        var asked = _site.Hang(Url);
        var download = GetAsync();
        await asked;
        Assert.False(download.IsCompleted);
        _time.Advance(UpdaterStage.HttpTimeout);
        Assert.Equal(DownloadResult.Timeout, (await download).Result);
    }

    [Fact]
    public async Task A_stop_ends_a_download_at_once()
    {
        using var stop = new CancellationTokenSource();
        var asked = _site.Hang(Url);
        var download = _downloader.GetAsync(new Uri(Url), Limit, stop.Token);
        await asked;
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => download);
    }

    [Fact]
    public async Task A_site_that_nobody_can_reach_is_a_failure() => Assert.Equal(DownloadResult.Unreachable, (await GetAsync()).Result);

    [Theory]
    [InlineData("https://site.example/b")]
    [InlineData("/b")]
    public async Task A_redirect_within_the_host_is_followed(string target)
    {
        _site.Redirect(Url, target, HttpStatusCode.MovedPermanently);
        _site.Serve("https://site.example/b", [9]);
        Assert.Equal([9], (await GetAsync()).Body);
    }

    [Theory]
    [InlineData("https://other.example/b")]
    [InlineData("http://site.example/b")]
    [InlineData("//other.example/b")]
    [InlineData("file:///etc/passwd")]
    [InlineData("http://")]
    public async Task Any_other_redirect_is_an_answer_that_does_not_count(string target)
    {
        _site.Redirect(Url, target);
        Assert.Equal(DownloadResult.Status, (await GetAsync()).Result);
        Assert.Single(_site.Requests);
    }

    [Fact]
    public async Task A_circle_of_redirects_ends()
    {
        _site.Redirect(Url, Url);
        Assert.Equal(DownloadResult.Status, (await GetAsync()).Result);
        Assert.Equal(4, _site.Requests.Count);
    }

    private Task<Download> GetAsync() => _downloader.GetAsync(new Uri(Url), Limit, CancellationToken.None);

    /// <summary>Zeros, until it fails.</summary>
    private sealed class EndlessStream : Stream
    {
        public int FailsAt { get; init; } = int.MaxValue;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get; set; }

        public override int Read(byte[] buffer, int offset, int count)
        {
            if (Position >= FailsAt) throw new HttpIOException(HttpRequestError.ResponseEnded);
            count = Math.Min(count, 3);
            Position += count;
            return count;
        }

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
