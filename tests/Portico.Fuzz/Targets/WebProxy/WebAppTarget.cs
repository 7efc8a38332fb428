using Portico.Fuzz.Checking;
using Portico.Fuzz.Searching;
using Portico.Protocol;
using Portico.Protocol.WebProxy;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Targets.WebProxy;

/// <summary>What an app says of the frames that come from a relay: streams 1 to 3 are open, 4 is closed.</summary>
internal sealed class WebAppTarget : WholeTarget
{
    public override string Name => "web-app";

    public override IReadOnlyCollection<string> Expected { get; } =
    [
        "Ok", "Invalid Empty", "Invalid Incomplete", "Invalid UnknownType", "Invalid TooLarge", "Invalid BadPayload",
        "Invalid BadDirection", "Invalid UnknownStream", "Invalid BeforeWelcome", "Invalid BadWelcome", "Invalid Bye",
    ];

    public override IEnumerable<byte[]> Seeds =>
        WebSeeds.Cases("app")
            .Select(item => item.GetProperty("steps").EnumerateArray().ToArray().Bytes("relay").SelectMany(body => body).ToArray())
            .Concat(WebSeeds.Cases("frames", "batches").Bytes("body"));

    public override IReadOnlyList<byte[]> Tokens => WebSeeds.Tokens;

    public override byte[]? MutateStructure(byte[] input, SplitMix random) => [.. WebFrame.Welcome, .. WebSeeds.RandomBatch(random)];

    protected override Outcome Read(ReadOnlySpan<byte> message)
    {
        var app = new AppStreams();
        for (var stream = 1u; stream <= 4; stream++)
            app.Open(stream);
        app.Close(4);
        var reader = new WebFrameReader();
        reader.Append(message);
        var (error, frames) = (WebProxyError.None, 0);
        while (error == WebProxyError.None && reader.TryRead(out var header, out var payload, out _) == FrameStatus.Ok)
        {
            frames++;
            var wasOpen = app.IsOpen(header.Stream);
            error = app.Accept(header, payload);
            Demand(
                app.IsOpen(header.Stream) == (wasOpen && (header.Type != WebFrameType.Close || error != WebProxyError.None)),
                "opens or closes a stream that nobody did");
        }

        error = error == WebProxyError.None ? reader.AtEnd : error;
        Demand(!app.IsOpen(4) && app.Spend(4, 1) == 0, "goes on with a stream that was closed");
        return error == WebProxyError.None
            ? new Outcome(FrameStatus.Ok, "", 0, (ulong)frames, Math.Min(frames, 7))
            : new Outcome(FrameStatus.Invalid, error.ToString(), 0, (ulong)frames, Math.Min(frames, 7));
    }
}
