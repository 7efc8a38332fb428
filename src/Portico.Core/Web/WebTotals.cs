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

    /// <summary>What there is, and what there has been, on one carrier.</summary>
    /// <param name="listener">Whose.</param>
    /// <param name="carrier">Which; null = no frame has travelled.</param>
    /// <param name="live">Its sessions, those on other carriers too.</param>
    public WebFigures Of(string listener, WebCarrier? carrier, IEnumerable<WebEntry> live)
    {
        var (sessions, streams, parked, opened) = (0, 0, 0, 0L);
        foreach (var entry in live)
        {
            if (entry.Carrier != carrier) continue;
            sessions++;
            streams += entry.Session.Streams;
            parked += entry.Session.Parked;
            opened += entry.Session.Opened;
        }

        return carrier is { } known
            ? new(listener, known.Tag(), sessions, streams, parked, _sessions[(int)known] + sessions, _streams[(int)known] + opened)
            : new(listener, WebFigures.NoCarrier, sessions, streams, parked, 0, 0);
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
