using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Portico.Protocol.FakeTls;
using Portico.TestKit.Telegram;

namespace Portico.TestKit.Covers;

/// <summary>What is wrong with a site.</summary>
public enum SiteFault
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>It answers every hello with a fatal handshake_failure.</summary>
    Alert,

    /// <summary>It speaks HTTP.</summary>
    Garbage,

    /// <summary>It wants a share of P-256.</summary>
    RetryRequest,

    /// <summary>It speaks TLS 1.2.</summary>
    OldVersion,

    /// <summary>It reads and never answers.</summary>
    Silent,

    /// <summary>FIN as soon as somebody connects.</summary>
    ClosesAtOnce,

    /// <summary>RST behind the hello.</summary>
    Resets,

    /// <summary>FIN in the middle of the second encrypted record.</summary>
    EndsInRecord,

    /// <summary>It stops in the middle of the second encrypted record.</summary>
    StopsInRecord,

    /// <summary>FIN behind a whole flight.</summary>
    EndsBehindFlight,

    /// <summary>An encrypted alert in place of the flight.</summary>
    EncryptedAlert,

    /// <summary>Records without an end.</summary>
    Endless,

    /// <summary>The session id in its hello is longer than there is one.</summary>
    BrokenHello,

    /// <summary>A suite that nobody offered.</summary>
    StrangeSuite,
}

/// <summary>How a <see cref="ScriptedSite"/> answers. The defaults are those of a server with an ECDSA certificate.</summary>
public sealed record SiteScript
{
    /// <summary>SHA-384 makes Finished so much longer.</summary>
    private const int LongerFinished = 16;

    private const ushort Sha384Suite = 0x1302;

    /// <summary>Its suites, most wanted first.</summary>
    public ImmutableArray<ushort> Suites { get; init; } = [0x1302, 0x1303, 0x1301];

    /// <summary>Take the client's first one instead of ours.</summary>
    public bool FollowsClient { get; init; }

    /// <summary>Order of the extensions in its hello.</summary>
    public ServerExtensionOrder Order { get; init; } = ServerExtensionOrder.SupportedVersionsFirst;

    /// <summary>A third extension.</summary>
    public bool HasOtherExtension { get; init; }

    /// <summary>It answers a post-quantum share with one.</summary>
    public bool AnswersPostQuantum { get; init; }

    /// <summary>Payload of each encrypted record, for a suite with SHA-256; drawn for each connection.</summary>
    public Func<SiteVisit, int[]> Records { get; init; } = _ => [36, 455, 96, 53];

    /// <summary>Bytes per write.</summary>
    public int Piece { get; init; } = int.MaxValue;

    /// <summary>Holds every answer back until it opens.</summary>
    public Gate? Gate { get; init; }

    /// <summary>Bytes that come before the hello.</summary>
    public int PreambleLength { get; init; }

    /// <summary>A line comes before the hello.</summary>
    public bool EndsPreambleWithLine { get; init; }

    /// <summary>Whose hello is not like our clients' is closed without an answer, and fails no test.</summary>
    public bool ClosesOthers { get; init; }

    /// <summary>What is wrong.</summary>
    public SiteFault Fault { get; init; }

    /// <summary>The suite for an offer; 0 = none.</summary>
    public ushort Choose(TlsSuiteOffer offer) =>
        FollowsClient ? offer.Suites.FirstOrDefault(Suites.Contains) : Suites.FirstOrDefault(offer.Contains);

    /// <summary>Every byte of its answer.</summary>
    public byte[] Answer(SiteVisit visit)
    {
        var suite = Fault == SiteFault.StrangeSuite ? (ushort)0x1304 : Choose(visit.Offer);
        if (suite == 0 || Fault == SiteFault.Alert)
            return [0x15, 3, 3, 0, 2, 2, 40];
        var hello = ServerHello(visit, suite);
        var records = Records(visit).ToArray();
        if (suite == Sha384Suite)
            records[^1] += LongerFinished;
        var encrypted = records.Select(Record).ToArray();
        byte[] changeCipherSpec = [0x14, 3, 3, 0, 1, 1];
        return Fault switch
        {
            SiteFault.Silent => [],
            SiteFault.Garbage => [.. "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"u8],
            SiteFault.RetryRequest => [.. hello, .. changeCipherSpec],
            SiteFault.OldVersion => hello,
            SiteFault.BrokenHello => [.. hello[..43], 33, .. hello[44..]],
            SiteFault.EndsInRecord or SiteFault.StopsInRecord => [.. hello, .. changeCipherSpec, .. encrypted[0], .. encrypted[1][..20]],
            SiteFault.EncryptedAlert => [.. hello, .. changeCipherSpec, .. Record(19)],
            SiteFault.Endless => [.. hello, .. changeCipherSpec, .. Enumerable.Range(0, 20).SelectMany(_ => Record(16384 + 256))],
            _ => [.. hello, .. changeCipherSpec, .. encrypted.SelectMany(record => record)],
        };
    }

    private static byte[] Record(int length) => [0x17, 3, 3, (byte)(length >> 8), (byte)length, .. RandomNumberGenerator.GetBytes(length)];

    private byte[] ServerHello(SiteVisit visit, ushort suite)
    {
        byte[] random = Fault == SiteFault.RetryRequest
            ? Convert.FromHexString("CF21AD74E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C")
            : RandomNumberGenerator.GetBytes(32);
        var isPostQuantum = AnswersPostQuantum && visit.IsPostQuantum;
        var key = isPostQuantum ? RandomNumberGenerator.GetBytes(1088 + 32) : RandomNumberGenerator.GetBytes(32);
        byte[] share = Fault == SiteFault.RetryRequest ? [0, 0x17] : [.. isPostQuantum ? (byte[])[0x11, 0xec] : [0, 0x1d], .. Vector(key)];
        byte[] keyShare = [0, 0x33, .. Vector(share)];
        byte[] versions = Fault == SiteFault.OldVersion ? [0xff, 1, 0, 1, 0] : [0, 0x2b, 0, 2, 3, 4];
        byte[] other = HasOtherExtension ? [0, 0x29, 0, 2, 0, 0] : [];
        byte[] extensions = Fault == SiteFault.OldVersion ? versions
            : Order == ServerExtensionOrder.KeyShareFirst ? [.. keyShare, .. versions, .. other]
            : [.. versions, .. keyShare, .. other];
        byte[] body =
            [3, 3, .. random, (byte)visit.SessionId.Length, .. visit.SessionId, (byte)(suite >> 8), (byte)suite, 0, .. Vector(extensions)];
        byte[] message = [2, 0, .. Vector(body)];
        return [0x16, 3, 3, .. Vector(message)];
    }

    private static byte[] Vector(byte[] bytes)
    {
        var vector = new byte[2 + bytes.Length];
        BinaryPrimitives.WriteUInt16BigEndian(vector, (ushort)bytes.Length);
        bytes.CopyTo(vector, 2);
        return vector;
    }
}
