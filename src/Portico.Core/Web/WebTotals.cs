using Portico.Core.Diagnostics;
using Portico.Protocol.WebProxy;

namespace Portico.Core.Web;

/// <summary>What the sessions of one listener that have ended have carried, and with it what all have. By one thread at a time.</summary>
internal sealed class WebTotals
{
    // By carrier. A session that ends within its very first message is of none.
    private readonly long[] _sessions = new long[Enum.GetValues<WebCarrier>().Length];
    private readonly long[] _streams = new long[Enum.GetValues<WebCarrier>().Length];
    private long _received;
    private long _sent;

    /// <summary>One has ended.</summary>
    /// <param name="session">Which.</param>
    /// <param name="carrier">What its frames travelled on; null = none has.</param>
    public void Add(WebSession session, WebCarrier? carrier)
    {
        _received += session.Received;
        _sent += session.Sent;
        if (carrier is not { } known) return;
        _sessions[(int)known]++;
        _streams[(int)known] += session.Opened;
    }

    /// <summary>What there is, and what there has been, on each carrier; last what no frame has travelled in.</summary>
    /// <param name="listener">Whose.</param>
    /// <param name="live">Its sessions.</param>
    public WebFigures[] FiguresOf(string listener, IEnumerable<WebEntry> live)
    {
        var figures = new WebFigures[_sessions.Length + 1];
        for (var i = 0; i < _sessions.Length; i++)
            figures[i] = new WebFigures(listener, ((WebCarrier)i).Tag()) { Begun = _sessions[i], Opened = _streams[i] };
        figures[^1] = new WebFigures(listener, WebFigures.NoCarrier);
        foreach (var entry in live)
        {
            var of = figures[(int?)entry.Carrier ?? _sessions.Length];
            of.Sessions++;
            of.Streams += entry.Session.Streams;
            of.Parked += entry.Session.Parked;
            of.Begun++;
            of.Opened += entry.Session.Opened;
        }

        return figures;
    }

    /// <summary>Bytes of streams.</summary>
    /// <param name="listener">Whose.</param>
    /// <param name="live">Its sessions.</param>
    public WebBytes BytesOf(string listener, IEnumerable<WebEntry> live)
    {
        var (received, sent) = (_received, _sent);
        foreach (var entry in live)
        {
            received += entry.Session.Received;
            sent += entry.Session.Sent;
        }

        return new WebBytes(listener, received, sent);
    }
}
