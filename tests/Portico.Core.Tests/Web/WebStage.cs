using System.Buffers;
using System.Net;
using Portico.Core.Options;
using Portico.Core.Tests.Staging;
using Portico.Core.Web;
using Portico.Protocol.WebProxy;
using Xunit;

namespace Portico.Core.Tests.Web;

/// <summary>A stage whose listener has a WEB proxy and nothing else.</summary>
internal sealed class WebStage : IDisposable
{
    public static readonly IPEndPoint AppAddress = new(IPAddress.Parse("198.51.100.7"), 50123);

    public WebStage(Func<ProxySettings, ProxySettings>? change = null, bool takesClassic = true)
    {
        Assert.True(WebAddress.TryCreate("proxy.example.com", "", out var address, out _));
        Stage = new Stage(ClientProtocols.None, change: settings =>
        {
            var web = new WebSettings { Address = address, Carriers = [WebCarrier.Https], TakesClassic = takesClassic };
            settings = settings with { Listeners = [settings.Listeners[0] with { Web = web }] };
            return change?.Invoke(settings) ?? settings;
        });
    }

    public Stage Stage { get; }

    public WebGate Gate => Stage.Proxy.WebGates[0]!;

    /// <summary>The user of the dd form, and of the plain one.</summary>
    public WebUser Secure => Gate.Users[0];

    public WebUser Classic => Gate.Users[1];

    /// <summary>An app opens the page and creates a session.</summary>
    public WebEntry Create(WebUser? user = null)
    {
        var page = Gate.Sessions.NewPage(user ?? Secure);
        Assert.NotNull(page);
        var created = Gate.Sessions.Create(Read(page), AppAddress);
        Assert.NotNull(created.Token);
        Stage.Run();
        var entry = Gate.Sessions.Find(Read(created.Token));
        Assert.NotNull(entry);
        return entry;
    }

    /// <summary>Other settings of the listener come in force.</summary>
    public void Reload(Func<ListenerSettings, ListenerSettings> change)
    {
        var settings = Stage.Proxy.Settings;
        var reload = Stage.Proxy.ReloadAsync(settings with { Listeners = [change(settings.Listeners[0])] });
        while (!reload.IsCompleted) Stage.Run();
        Assert.True(reload.IsCompletedSuccessfully, $"{reload.Exception}");
    }

    public WebToken Read(string token)
    {
        Assert.True(Stage.Proxy.Services.Web.Tokens.TryRead(token, out var read));
        return read;
    }

    /// <summary>Runs the loop until a call is answered.</summary>
    public T Done<T>(Task<T> call)
    {
        Stage.Run();
        Assert.True(call.Wait(TimeSpan.FromSeconds(5)), "the call is not answered");
        return call.Result;
    }

    /// <summary>Runs the loop, after which a call still waits.</summary>
    public void Waits(Task call)
    {
        Stage.Run();
        Thread.Sleep(1);
        Assert.False(call.IsCompleted);
    }

    /// <summary>No session, no stream, no buffer.</summary>
    public void AssertNothingLeft()
    {
        Stage.Run();
        Assert.Equal(0, Gate.Sessions.Count);
        Stage.AssertNothingLeft();
        Stage.AssertNoFault();
    }

    public void Dispose() => Stage.Dispose();

    public static ReadOnlySequence<byte> Sequence(params byte[][] parts) => new(parts.SelectMany(part => part).ToArray());

    /// <summary>The frames of a batch; released.</summary>
    public static List<(WebFrameType Type, uint Stream, byte[] Payload)> Frames(WebBatch? batch)
    {
        Assert.NotNull(batch);
        var frames = new List<(WebFrameType, uint, byte[])>();
        var reader = new WebBatchReader(new ReadOnlySequence<byte>(batch.Bytes));
        while (reader.TryRead(out var frame)) frames.Add((frame.Type, frame.Stream, frame.Payload.ToArray()));
        Assert.Equal(WebProxyError.None, reader.Error);
        batch.Release();
        return frames;
    }
}
