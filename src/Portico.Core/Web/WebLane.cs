using System.Buffers;
using Portico.Protocol.WebProxy;

namespace Portico.Core.Web;

/// <summary>Who takes what a lane has for the app.</summary>
internal interface ILaneTaker
{
    /// <summary>There is something. On the loop, not from within a stream.</summary>
    void OnReady();

    /// <summary>Bytes that may be passed on at once, with their header, as nothing else is under way; 0 = all waits.</summary>
    int RoomNow => 0;

    /// <summary>Passes on all of what there was room for. From within a stream: nobody may be called back.</summary>
    void Pass(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload) => throw new NotSupportedException();
}

/// <summary>
/// What waits for the app on one way to it: on a carrier without lanes everything of the session, else what one stream has. What steers
/// streams goes first, then streams that were silent, then all others by turns, so that no download stands before a message. After its
/// first turn a stream is one of the others, and stays so until it has nothing when its turn comes: who talks without a pause does not
/// get before those who wait.
/// </summary>
/// <param name="session">Whose.</param>
internal sealed class WebLane(WebSession session)
{
    /// <summary>Credit that is worth a frame of its own.</summary>
    public const int WorthAFrame = 256 * 1024;

    /// <summary>Bytes that are better passed on at once: fewer may go in one batch with what others have.</summary>
    public const int WorthPassing = 16 * 1024;

    private const int MostATurn = 64 * 1024, MostAFrame = 256 * 1024;

    private readonly Queue<WebStream> _fresh = new();
    private readonly Queue<WebStream> _ready = new();
    private readonly List<WebStream> _owed = [];
    private Queue<uint>? _closes;
    private bool _isScheduled;
    private bool _isCreditDue;
    private bool _saysBye;

    /// <summary>Streams and ends that wait for a batch.</summary>
    public int Items => _fresh.Count + _ready.Count + Closes + _owed.Count;

    /// <summary>Who waits for output; null = nobody does just now.</summary>
    public ILaneTaker? Taker { get; set; }

    /// <summary>A stream has bytes, or its end.</summary>
    public void Add(WebStream stream)
    {
        if (!stream.IsQueued)
        {
            stream.IsQueued = true;
            _fresh.Enqueue(stream);
        }

        Schedule();
    }

    /// <summary>Passes a large piece on without a copy, if no stream has anything that waits.</summary>
    /// <returns>How many; 0 = they are to wait, with <see cref="Add"/>.</returns>
    public int Pass(WebStream stream, ReadOnlySpan<byte> bytes)
    {
        if (Taker is not { } taker || _fresh.Count + _ready.Count + Closes > 0 || _saysBye)
            return 0;
        var wanted = Math.Min(bytes.Length, taker.RoomNow - WebFrameHeader.Length);
        if (wanted < bytes.Length && wanted < WorthPassing) return 0;
        var count = session.Rules.Spend(stream.Id, wanted);
        if (count == 0) return 0;
        Span<byte> header = stackalloc byte[WebFrameHeader.Length];
        WebFrame.WriteDataHeader(header, stream.Id, count);
        taker.Pass(header, bytes[..count]);
        session.Passed(count);
        return count;
    }

    /// <summary>A stream that never was is over.</summary>
    public void AddClose(uint stream)
    {
        (_closes ??= new()).Enqueue(stream);
        Schedule();
    }

    /// <summary>The session is about to end: the app hears so, behind everything that can still be sent to it.</summary>
    public void AddBye()
    {
        _saysBye = true;
        Schedule();
    }

    /// <summary>The app may be given credit with the next batch, whenever that is.</summary>
    public void Owe(WebStream stream) => _owed.Add(stream);

    /// <summary>Credit is worth a batch of its own, or has waited long enough for one to go along with.</summary>
    public void Settle()
    {
        _isCreditDue = true;
        Schedule();
    }

    /// <summary>Somebody may be waiting: told in the next turn, when all that this one brings is there.</summary>
    public void Schedule()
    {
        if (_isScheduled || Taker is null) return;
        _isScheduled = true;
        session.Schedule(this);
    }

    /// <summary>The session's turn.</summary>
    public void Wake()
    {
        _isScheduled = false;
        Taker?.OnReady();
    }

    /// <summary>Builds a batch; its streams have room again.</summary>
    /// <param name="most">Bytes.</param>
    /// <param name="header">Bytes that whoever sends it will want in front.</param>
    /// <returns>Null if there is nothing that may be sent.</returns>
    public WebBatch? Take(int most, int header = 0)
    {
        if (_fresh.Count == 0 && _ready.Count == 0 && Closes == 0 && !_isCreditDue && !_saysBye)
            return null;
        var size = Math.Min(most, Needed());
        var rented = ArrayPool<byte>.Shared.Rent(header + size);
        var writer = new BatchWriter(rented.AsSpan(header, size));
        while (Closes > 0 && writer.HasRoomFor(WebFrameHeader.Length)) writer.Close(_closes!.Dequeue());
        GiveCredit(ref writer);
        // A byte more than a header, so that each turn either moves a stream on or takes it out.
        while (writer.HasRoomFor(WebFrameHeader.Length + 1) && (_fresh.TryDequeue(out var stream) || _ready.TryDequeue(out stream)))
        {
            stream.IsQueued = false;
            if (TakeTurn(stream, ref writer)) Requeue(stream);
        }

        if (_saysBye && writer.HasRoomFor(WebFrameHeader.Length))
        {
            _saysBye = false;
            writer.Bye();
        }

        if (writer.Length > 0) return new WebBatch(rented, header, writer.Length);
        ArrayPool<byte>.Shared.Return(rented);
        return null;
    }

    private int Closes => _closes?.Count ?? 0;

    private int Needed()
    {
        var needed = ((Closes + (_saysBye ? 1 : 0)) * WebFrameHeader.Length) + (_owed.Count * WebFrame.WindowLength);
        foreach (var stream in _fresh) needed += NeededFor(stream);
        foreach (var stream in _ready) needed += NeededFor(stream);
        return needed + 1; // a turn begins only with more room than a header
    }

    private static int NeededFor(WebStream stream)
    {
        var frames = 2 + (stream.Waiting / MostATurn);
        return stream.Waiting + (frames * WebFrameHeader.Length);
    }

    private void GiveCredit(ref BatchWriter writer)
    {
        var given = 0;
        for (; given < _owed.Count && writer.HasRoomFor(WebFrame.WindowLength); given++)
        {
            var stream = _owed[given];
            if (session.Rules.TryGiveCredit(stream.Id, stream.CreditDue))
                writer.Window(stream.Id, stream.CreditDue);
            stream.CreditDue = 0;
        }

        _owed.RemoveRange(0, given);
        _isCreditDue &= _owed.Count > 0;
    }

    // True if it is to have another.
    private bool TakeTurn(WebStream stream, ref BatchWriter writer)
    {
        if (stream.IsOver) return false;
        if (stream.Waiting > 0)
        {
            var wanted = Math.Min(stream.Waiting, Math.Min(MostATurn, writer.RoomForData(stream.Id, MostAFrame)));
            if (wanted == 0) return true;
            var count = session.Rules.Spend(stream.Id, wanted);
            if (count == 0) return false; // it comes again with the app's credit
            session.Take(stream, writer.Data(stream.Id, count, MostAFrame));
            return true;
        }

        if (!stream.IsFinished) return false;
        writer.Close(stream.Id);
        session.SentClose(stream);
        return false;
    }

    private void Requeue(WebStream stream)
    {
        stream.IsQueued = true;
        _ready.Enqueue(stream);
    }

    /// <summary>Writes frames one behind the other. DATA of the stream whose frame came last makes that one longer.</summary>
    private ref struct BatchWriter(Span<byte> target)
    {
        private readonly Span<byte> _target = target;
        private int _frames;
        private uint _lastStream;
        private int _lastStart;
        private int _lastLength;

        public int Length { get; private set; }

        public readonly bool HasRoomFor(int bytes) => _frames < WebBatchReader.MaxFrames && _target.Length - Length >= bytes;

        public void Close(uint stream) => Begin(WebFrame.WriteClose(_target[Length..], stream));

        public void Bye() => Begin(WebFrame.WriteBye(_target[Length..]));

        public void Window(uint stream, uint credit) => Begin(WebFrame.WriteWindow(_target[Length..], stream, credit));

        // With a frame of its own where the last cannot grow.
        public readonly int RoomForData(uint stream, int mostAFrame)
        {
            var room = _target.Length - Length;
            return stream == _lastStream && _lastLength < mostAFrame
                ? Math.Min(room, mostAFrame - _lastLength)
                : Math.Max(0, room - WebFrameHeader.Length);
        }

        public Span<byte> Data(uint stream, int count, int mostAFrame)
        {
            if (stream != _lastStream || _lastLength + count > mostAFrame)
            {
                (_lastStart, _lastStream, _lastLength) = (Length, stream, 0);
                _frames++;
                Length += WebFrameHeader.Length;
            }

            _lastLength += count;
            WebFrame.WriteDataHeader(_target[_lastStart..], stream, _lastLength);
            var place = _target.Slice(Length, count);
            Length += count;
            return place;
        }

        private void Begin(int length)
        {
            _frames++;
            _lastStream = 0;
            Length += length;
        }
    }
}
