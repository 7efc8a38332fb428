using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Portico.Protocol;
using Portico.Protocol.WebProxy;

namespace Portico.ModelComparison;

/// <summary>Questions about frames, and those that are a whole session: steps in, what each came to out, between bars.</summary>
internal static class WebSessionAnswers
{
    private const int Chunk = 64 << 10;

    private static readonly RelayBatch Batch = new();

    public static Dictionary<string, Func<JsonElement, string>> All { get; } = new()
    {
        ["web-batch"] = ReadBatch,
        ["web-session"] = question =>
        {
            var relay = new RelayStreams((int)question.Number("maxStreams"));
            var said = Steps(question).Select(step => Relay(relay, step)).ToList();
            return string.Join(" | ", said.Append(SendWindows(relay, question)));
        },
        ["web-app"] = question =>
        {
            var app = new AppStreams();
            return string.Join(" | ", Steps(question).Select(step => App(app, step)).OfType<string>());
        },
        ["web-uplink"] = question =>
        {
            var uplink = new UplinkSequence();
            return string.Join(" | ", Steps(question).Select(step => Uplink(uplink, step)));
        },
        ["web-downlink"] = Downlink,
    };

    private static JsonElement.ArrayEnumerator Steps(JsonElement question) => question.GetProperty("steps").EnumerateArray();

    // Hex, or hex and a pair of a byte and how often it comes.
    private static byte[] Body(JsonElement body)
    {
        if (body.ValueKind == JsonValueKind.String)
            return Convert.FromHexString(body.GetString()!);
        var (head, run) = (Convert.FromHexString(body[0].GetString()!), Convert.FromHexString(body[1][0].GetString()!));
        var bytes = new byte[head.Length + body[1][1].GetInt32()];
        head.CopyTo(bytes, 0);
        bytes.AsSpan(head.Length).Fill(run[0]);
        return bytes;
    }

    private static string ReadBatch(JsonElement question)
    {
        var body = question.Hex("bytes");
        var parts = new List<byte[]>();
        var at = 0;
        foreach (var cut in question.GetProperty("cuts").EnumerateArray())
        {
            var length = Math.Min(cut.GetInt32(), body.Length - at);
            parts.Add(body[at..(at + length)]);
            at += length;
        }

        parts.Add(body[at..]);
        var whole = Whole(Sequence(parts), out var error);
        var pieces = Pieces(parts, out var piecesError);
        // Who reads pieces finds an unknown type before its header is whole.
        var isSame = error == piecesError || (error, piecesError) == (WebProxyError.Incomplete, WebProxyError.UnknownType);
        return !isSame || (error == WebProxyError.None && whole != pieces) ? $"whole {error} {whole}, in pieces {piecesError} {pieces}"
            : error != WebProxyError.None ? error.Tag()
            : whole;
    }

    private static string Whole(ReadOnlySequence<byte> batch, out WebProxyError error)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var reader = new WebBatchReader(batch);
        while (reader.TryRead(out var frame))
            Add(hash, frame.Type, frame.Stream, frame.Payload.ToArray());
        error = reader.Error;
        return $"{reader.Frames} {Question.Hex(hash.GetHashAndReset())}";
    }

    private static string Pieces(List<byte[]> parts, out WebProxyError error)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var reader = new WebFrameReader();
        var frames = 0;
        foreach (var part in parts)
        {
            reader.Append(part);
            for (; reader.TryRead(out var header, out var payload, out _) == FrameStatus.Ok; frames++)
                Add(hash, header.Type, header.Stream, payload);
        }

        error = reader.AtEnd;
        return $"{frames} {Question.Hex(hash.GetHashAndReset())}";
    }

    private static void Add(IncrementalHash hash, WebFrameType type, uint stream, ReadOnlySpan<byte> payload)
    {
        hash.AppendData(Encoding.ASCII.GetBytes($"{(int)type} {stream} {payload.Length} "));
        hash.AppendData(payload);
    }

    private static string Relay(RelayStreams relay, JsonElement step)
    {
        if (step.TryGetProperty("up", out var body))
        {
            uint? lane = step.TryGetProperty("lane", out var only) ? only.GetUInt32() : null;
            return relay.TryAccept(new ReadOnlySequence<byte>(Body(body)), lane, Batch, out var error)
                ? $"{Join(Batch.Events, Describe)}/{Join(Batch.Events, Answer)}"
                : error.Tag();
        }

        if (step.TryGetProperty("drained", out var drained))
        {
            var (stream, credit) = (drained[0].GetUInt32(), drained[1].GetUInt32());
            return relay.TryGiveCredit(stream, credit) ? Written(bytes => WebFrame.WriteWindow(bytes, stream, credit)) : "";
        }

        if (step.TryGetProperty("backend", out var sent))
        {
            var (stream, waiting) = (sent[0].GetUInt32(), sent[1].GetInt32());
            var allowed = relay.Spend(stream, waiting);
            var chunks = Enumerable.Range(0, (allowed + Chunk - 1) / Chunk).Select(i => Math.Min(Chunk, allowed - i * Chunk));
            return $"{string.Join(',', chunks.Select(length => $"2-{stream}-{length}"))}/{waiting - allowed}";
        }

        var closed = step.GetProperty("closed").GetUInt32();
        return relay.Close(closed) ? Written(bytes => WebFrame.WriteClose(bytes, closed)) : "";
    }

    private static string Describe(RelayEvent one) => one.Kind switch
    {
        RelayEventKind.Opened => $"open-{one.Stream}",
        RelayEventKind.Rejected => $"rejected-{one.Stream}",
        RelayEventKind.Data => $"data-{one.Stream}-{one.Payload.Length}",
        RelayEventKind.Credit => $"credit-{one.Stream}-{one.SendWindow}",
        RelayEventKind.Closed => $"close-{one.Stream}",
        RelayEventKind.Ignored => $"ignored-{one.Stream}",
        _ => $"pong-{Question.Hex(one.Payload.ToArray())}",
    };

    private static string? Answer(RelayEvent one) =>
        one.Kind == RelayEventKind.Rejected ? Written(bytes => WebFrame.WriteClose(bytes, one.Stream)) : null;

    // All that the streams named anywhere may still be sent, found out by using it up.
    private static string SendWindows(RelayStreams relay, JsonElement question)
    {
        var windows = new List<string>();
        var count = relay.Count;
        foreach (var stream in Named(question))
        {
            var sent = 0L;
            while (relay.Spend(stream, int.MaxValue) is var allowed and > 0)
                sent += allowed;
            if (relay.Close(stream)) windows.Add($"{stream}:{sent}");
        }

        return windows.Count == count ? string.Join(' ', windows) : $"{count} open";
    }

    private static SortedSet<uint> Named(JsonElement question)
    {
        var streams = new SortedSet<uint>();
        foreach (var step in Steps(question).Where(step => step.TryGetProperty("up", out _)))
        {
            var reader = new WebBatchReader(new ReadOnlySequence<byte>(Body(step.GetProperty("up"))));
            while (reader.TryRead(out var frame))
                streams.Add(frame.Stream);
        }

        return streams;
    }

    private static string? App(AppStreams app, JsonElement step)
    {
        if (step.TryGetProperty("opened", out var opened))
            app.Open(opened.GetUInt32());
        else if (step.TryGetProperty("closing", out var closing))
            app.Close(closing.GetUInt32());
        else if (step.TryGetProperty("read", out var read))
            app.TryGiveCredit(read[0].GetUInt32(), read[1].GetUInt32());
        else
            return Message(app, Body(step.GetProperty("relay")));
        return null;
    }

    private static string Message(AppStreams app, byte[] body)
    {
        var batch = new ReadOnlySequence<byte>(body);
        var error = WebBatchReader.Check(batch);
        var reader = new WebBatchReader(batch);
        while (error == WebProxyError.None && reader.TryRead(out var frame))
            error = app.Accept(new WebFrameHeader(frame.Type, frame.Stream, (int)frame.Payload.Length), frame.Payload.ToArray());
        return error == WebProxyError.None ? "ok" : error.Tag();
    }

    private static string Uplink(UplinkSequence uplink, JsonElement step)
    {
        Span<byte> digest = stackalloc byte[UplinkSequence.DigestLength];
        UplinkSequence.Digest(new ReadOnlySequence<byte>(step.Hex("body")), digest);
        switch (uplink.Begin(Number(step, "seq"), digest))
        {
            case UplinkVerdict.Apply when step.Flag("fits"):
                return $"ack {uplink.Complete()}";
            case UplinkVerdict.Apply:
                uplink.Abandon();
                return "retry";
            case UplinkVerdict.Repeat:
                return $"ack {uplink.Last}";
            case var other:
                return other.ToString().ToLowerInvariant();
        }
    }

    private static string Downlink(JsonElement question)
    {
        var cursor = new DownlinkCursor();
        var (waiting, said, kept) = (new Queue<string>(), new List<string>(), "");
        foreach (var step in Steps(question))
        {
            if (step.TryGetProperty("queue", out var queued))
            {
                waiting.Enqueue(queued.GetString()!);
                continue;
            }

            var verdict = cursor.Ask(Number(step, "cursor"));
            if (verdict == DownlinkVerdict.End)
                said.Add("end");
            else if (verdict == DownlinkVerdict.Repeat)
                said.Add($"200 {cursor.Value} {kept}");
            else if (waiting.TryDequeue(out var next))
                said.Add($"200 {cursor.Send()} {kept = next}");
            else
                said.Add($"204 {cursor.Value}");
        }

        return string.Join(" | ", said);
    }

    private static ulong Number(JsonElement step, string field) => ulong.Parse(step.Text(field), CultureInfo.InvariantCulture);

    private static string Join(ReadOnlySpan<RelayEvent> events, Func<RelayEvent, string?> describe) =>
        string.Join(',', events.ToArray().Select(describe).OfType<string>());

    private static string Written(Writer write)
    {
        var bytes = new byte[WebFrame.WindowLength];
        return Question.Hex(bytes.AsSpan(0, write(bytes)));
    }

    private static ReadOnlySequence<byte> Sequence(List<byte[]> parts)
    {
        Part? first = null, last = null;
        foreach (var part in parts)
        {
            last = new Part(part, last);
            first ??= last;
        }

        return new ReadOnlySequence<byte>(first!, 0, last!, last!.Memory.Length);
    }

    private delegate int Writer(Span<byte> bytes);

    private sealed class Part : ReadOnlySequenceSegment<byte>
    {
        public Part(byte[] bytes, Part? before)
        {
            Memory = bytes;
            if (before is null)
                return;
            RunningIndex = before.RunningIndex + before.Memory.Length;
            before.Next = this;
        }
    }
}
