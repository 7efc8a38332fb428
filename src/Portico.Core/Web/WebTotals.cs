using Portico.Core.Diagnostics;
using Portico.Protocol.WebProxy;

namespace Portico.Core.Web;

/// <summary>What the sessions of one listener that have ended have carried, and with it what all have. By one thread at a time.</summary>
internal sealed class WebTotals
{
    // By carrier. Where no frame has travelled there was no stream.
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

    /// <summary>What there is, and what there has been, on one carrier.</summary>
    /// <param name="listener">Whose.</param>
    /// <param name="carrier">Which; null = no frame has travelled.</param>
    /// <param name="live">Its sessions.</param>
    public WebFigures Of(string listener, WebCarrier? carrier, IEnumerable<WebSession> live)
    {
        var sessions = live.ToList();
        var figures = new WebFigures(
            listener, carrier?.Tag() ?? WebReport.None, sessions.Count, sessions.Sum(session => session.Streams),
            sessions.Sum(session => session.Parked), 0, 0);
        return carrier is not { } known ? figures : figures with
        {
            Begun = _sessions[(int)known] + sessions.Count,
            Opened = _streams[(int)known] + sessions.Sum(session => session.Opened),
        };
    }

    /// <summary>Bytes of streams.</summary>
    /// <param name="listener">Whose.</param>
    /// <param name="live">Its sessions.</param>
    public WebBytes BytesOf(string listener, IEnumerable<WebSession> live)
    {
        var (received, sent) = (_received, _sent);
        foreach (var session in live)
        {
            received += session.Received;
            sent += session.Sent;
        }

        return new WebBytes(listener, received, sent);
    }
}
