using System.Buffers;
using FsCheck;
using FsCheck.Fluent;
using Portico.Protocol.WebProxy;
using Xunit;

namespace Portico.Protocol.Tests.WebProxy;

/// <summary>What must hold for frames and sessions whatever is in them. A failure prints the seed that repeats it.</summary>
public class WebProxyProperties
{
    private const int MaxStreams = 3;

    private sealed record Sent(WebFrameType Type, uint Stream, byte[] Payload)
    {
        public byte[] Wire => WebVectors.Frame(Type, Stream, Payload);
    }

    // What the two sides of a session may do: numbers choose the stream and the amount.
    private sealed record Act(int Kind, int Choice, int Amount);

    [Fact]
    public void Frames_are_read_as_they_were_written_however_they_arrive() => Prop.ForAll(
        AnyFrames.ToArbitrary(),
        Cuts.ToArbitrary(),
        (frames, cuts) =>
        {
            byte[] wire = [.. frames.SelectMany(frame => frame.Wire)];
            var parts = Cut(wire, cuts);
            var reader = new WebBatchReader(WebVectors.Join(parts));
            foreach (var frame in frames)
            {
                if (!reader.TryRead(out var read) || (read.Type, read.Stream) != (frame.Type, frame.Stream)
                    || !read.Payload.ToArray().SequenceEqual(frame.Payload))
                    return false;
            }

            return !reader.TryRead(out _) && reader.Error == WebProxyError.None && Pieces(parts, out var error).SequenceEqual(
                frames.Select(frame => $"{frame.Type} {frame.Stream} {Convert.ToHexString(frame.Payload)}")) && error == WebProxyError.None;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Any_bytes_at_all_are_read_alike_by_both_readers_and_however_they_are_cut() => Prop.ForAll(
        LikelyBatches.ToArbitrary(),
        Cuts.ToArbitrary(),
        (bytes, cuts) =>
        {
            var whole = WebBatchReader.Check(WebVectors.Join(bytes));
            var parts = Cut(bytes, cuts);
            Pieces(parts, out var pieces);
            return whole == WebBatchReader.Check(WebVectors.Join(parts))
                && (whole == pieces || (whole, pieces) == (WebProxyError.Incomplete, WebProxyError.UnknownType));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_session_is_the_same_as_if_what_it_refused_had_never_come() => Prop.ForAll(
        LikelyBatches.ListOf().ToArbitrary(),
        batches =>
        {
            var (session, twin, result) = (new RelayStreams(MaxStreams), new RelayStreams(MaxStreams), new RelayBatch());
            foreach (var batch in batches.Select(bytes => WebVectors.Join(bytes)))
            {
                if (!session.TryAccept(batch, null, result, out _))
                    continue;
                var kinds = result.Events.ToArray().Select(one => (one.Kind, one.Stream, one.SendWindow)).ToList();
                if (!twin.TryAccept(batch, null, result, out _)
                    || !result.Events.ToArray().Select(one => (one.Kind, one.Stream, one.SendWindow)).SequenceEqual(kinds))
                    return false;
            }

            return session.Count == twin.Count && Enumerable.Range(0, 8).All(stream =>
                session.Spend((uint)stream, int.MaxValue) == twin.Spend((uint)stream, int.MaxValue)
                && session.Close((uint)stream) == twin.Close((uint)stream));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Two_sides_that_keep_their_books_never_break_a_rule_of_the_other() => Prop.ForAll(
        Acts.ToArbitrary(),
        acts =>
        {
            var pair = new Pair();
            foreach (var act in acts)
                pair.Do(act);
            return pair.Problem.Length == 0 ? true : throw new InvalidOperationException(pair.Problem);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Addresses_in_links_are_read_as_they_were_written() => Prop.ForAll(
        Labels.ToArbitrary(),
        Labels.ToArbitrary(),
        Gen.Choose(0, 255).Select(value => (byte)value).ArrayOf(16).ToArbitrary(),
        (labels, segments, key) =>
        {
            var host = string.Join('.', labels.Append("example.com"));
            if (!WebAddress.TryCreate(host, string.Join('/', segments), out var address, out var error))
                return error.Length > 0 && (host.Length > 253 || string.Join('/', segments).Length > 128);
            var (kind, secret) = WebVectors.Key(key);
            return WebProxyLink.TryParse(WebProxyLink.Tg(address, kind, secret), out var readAddress, out var readSecret, out _)
                && readAddress == address && readSecret.Kind == kind && readSecret.Secret.Equals(secret);
        }).QuickCheckThrowOnFailure();

    private static Gen<int[]> Cuts => Gen.Choose(0, 20).ArrayOf();

    private static Gen<string[]> Labels =>
        Gen.Elements("abcxyz0189".ToCharArray()).NonEmptyListOf().Select(letters => string.Concat(letters.Take(20))).ArrayOf();

    private static Gen<Act[]> Acts =>
        (from kind in Gen.Choose(0, 9)
         from choice in Gen.Choose(0, 7)
         from amount in Gen.Frequency((4, Gen.Choose(1, 50)), (1, Gen.Choose(1, 3 << 20)))
         select new Act(kind, choice, amount)).ArrayOf(60);

    private static Gen<byte[]> Bytes(int most) => Gen.Choose(0, most)
        .SelectMany(length => Gen.Choose(0, 255).Select(value => (byte)value).ArrayOf(length));

    private static Gen<Sent[]> AnyFrames =>
        (from type in Gen.Elements(Enum.GetValues<WebFrameType>())
         from stream in Gen.Frequency((4, Gen.Choose(0, 5)), (1, Gen.Choose(0, (int)WebFrameHeader.MaxStream)))
         from payload in Bytes(30)
         select new Sent(type, (uint)stream, payload)).NonEmptyListOf().Select(frames => frames.ToArray());

    /// <summary>
    /// Frames of a few streams, most of the right shape, and sometimes a byte changed: uniform ones would be refused at once.
    /// </summary>
    private static Gen<byte[]> LikelyBatches =>
        from frames in (
            from type in Gen.Elements(
                WebFrameType.Open, WebFrameType.Open, WebFrameType.Data, WebFrameType.Close, WebFrameType.Window, WebFrameType.Pong)
            from stream in Gen.Choose(1, 6)
            from payload in type switch
            {
                WebFrameType.Data => Gen.Constant(new byte[] { 1, 2, 3 }),
                WebFrameType.Window => Gen.Choose(0, 3).Select(credit => new byte[] { 0, 0, 1, (byte)credit }),
                _ => Gen.Constant(Array.Empty<byte>()),
            }
            select WebVectors.Frame(type, type == WebFrameType.Pong ? 0 : (uint)stream, payload)).ListOf()
        from changed in Gen.Frequency((5, Gen.Constant(-1)), (1, Gen.Choose(0, 200)))
        from value in Gen.Choose(0, 255)
        let bytes = frames.SelectMany(frame => frame).ToArray()
        select bytes.Select((one, at) => at == changed ? (byte)value : one).ToArray();

    private static Memory<byte>[] Cut(byte[] bytes, int[] lengths)
    {
        var parts = new List<Memory<byte>>();
        var rest = bytes.AsMemory();
        foreach (var length in lengths.Select(length => Math.Min(length, rest.Length)))
        {
            parts.Add(rest[..length]);
            rest = rest[length..];
        }

        return [.. parts, rest];
    }

    private static List<string> Pieces(Memory<byte>[] parts, out WebProxyError error)
    {
        var frames = new List<string>();
        var reader = new WebFrameReader();
        foreach (var part in parts)
        {
            reader.Append(part.Span);
            while (reader.TryRead(out var header, out var payload, out _) == FrameStatus.Ok)
                frames.Add($"{header.Type} {header.Stream} {Convert.ToHexString(payload)}");
        }

        error = reader.AtEnd;
        return frames;
    }

    /// <summary>An app and a relay with frames of either on their way, which arrive when it pleases the acts.</summary>
    private sealed class Pair
    {
        private readonly AppStreams _app = new();
        private readonly RelayStreams _relay = new(MaxStreams);
        private readonly RelayBatch _batch = new();
        private readonly Queue<byte[]> _up = new(), _down = new();
        private readonly Dictionary<uint, uint> _readByApp = [], _goneToTelegram = [];
        private readonly List<uint> _streams = [];

        public Pair() => _down.Enqueue(WebFrame.Welcome.ToArray());

        public string Problem { get; private set; } = "";

        public void Do(Act act)
        {
            var stream = _streams.Count == 0 ? 0 : _streams[act.Choice % _streams.Count];
            switch (act.Kind)
            {
                case 0:
                    _streams.Add((uint)_streams.Count + 1);
                    _app.Open(_streams[^1]);
                    _up.Enqueue(WebVectors.Frame(WebFrameType.Open, _streams[^1]));
                    break;
                case 1:
                    SendData(_up, stream, _app.Spend(stream, act.Amount));
                    break;
                case 2:
                    SendData(_down, stream, _relay.Spend(stream, act.Amount));
                    break;
                case 3 when _readByApp.Remove(stream, out var read) && _app.TryGiveCredit(stream, read):
                    _up.Enqueue(WebVectors.Written(bytes => WebFrame.WriteWindow(bytes, stream, read)));
                    break;
                case 4 when _goneToTelegram.Remove(stream, out var gone) && _relay.TryGiveCredit(stream, gone):
                    _down.Enqueue(WebVectors.Written(bytes => WebFrame.WriteWindow(bytes, stream, gone)));
                    break;
                case 5 when act.Amount % 3 == 0 && _app.IsOpen(stream):
                    _app.Close(stream);
                    _up.Enqueue(WebVectors.Frame(WebFrameType.Close, stream));
                    break;
                case 6 when act.Amount % 3 == 0 && _relay.Close(stream):
                    _goneToTelegram.Remove(stream);
                    _down.Enqueue(WebVectors.Frame(WebFrameType.Close, stream));
                    break;
                case 7 or 8:
                    ArriveAtRelay();
                    break;
                case 9:
                    ArriveAtApp();
                    break;
                default:
                    break;
            }
        }

        private static void SendData(Queue<byte[]> way, uint stream, int length)
        {
            for (; length > 0; length -= WebFrameHeader.MaxPayload)
                way.Enqueue(WebVectors.Frame(WebFrameType.Data, stream, new byte[Math.Min(length, WebFrameHeader.MaxPayload)]));
        }

        private void ArriveAtRelay()
        {
            if (!_up.TryDequeue(out var frame))
                return;
            if (!_relay.TryAccept(WebVectors.Join(frame), null, _batch, out var error))
                Problem = $"the relay says {error}";
            foreach (var one in _batch.Events)
            {
                if (one.Kind == RelayEventKind.Data)
                    _goneToTelegram[one.Stream] = _goneToTelegram.GetValueOrDefault(one.Stream) + (uint)one.Payload.Length;
                if (one.Kind == RelayEventKind.Rejected)
                    _down.Enqueue(WebVectors.Frame(WebFrameType.Close, one.Stream));
            }
        }

        private void ArriveAtApp()
        {
            if (!_down.TryDequeue(out var frame))
                return;
            var payload = frame.AsSpan(WebFrameHeader.Length);
            WebFrameHeader.TryRead(frame, out var header, out _);
            var wasOpen = _app.IsOpen(header.Stream);
            if (_app.Accept(header, payload) is var error and not WebProxyError.None)
                Problem = $"the app says {error}";
            if (wasOpen && header.Type == WebFrameType.Data)
                _readByApp[header.Stream] = _readByApp.GetValueOrDefault(header.Stream) + (uint)payload.Length;
        }
    }
}
