using System.Collections.Immutable;
using Portico.Protocol;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Secrets;

namespace Portico.TestKit.Clients;

/// <summary>Who a client is and how it writes. The defaults are TDLib's habits.</summary>
public sealed record ClientProfile
{
    /// <summary>The kind of link.</summary>
    public ClientMode Mode { get; init; } = ClientMode.FakeTls;

    /// <summary>The secret of the link; null in direct mode only.</summary>
    public ProxySecret? Secret { get; init; }

    /// <summary>The SNI of the hello.</summary>
    public string Domain { get; init; } = "www.example.org";

    /// <summary>The framing announced in the header.</summary>
    public Transport Transport { get; init; } = Transport.Padded;

    /// <summary>The first bytes of the header, which carry nothing; empty = random.</summary>
    public ImmutableArray<byte> HeaderStart { get; init; } = [];

    /// <summary>The data centre asked for.</summary>
    public short Dc { get; init; } = 2;

    /// <summary>The time signed into the hello, Unix seconds; null = now.</summary>
    public uint? Timestamp { get; init; }

    /// <summary>Today's hello or the one of 517 bytes.</summary>
    public ClientHelloShape Shape { get; init; } = ClientHelloShape.PostQuantum;

    /// <summary>
    /// Lengths of the first fragments when the hello comes in several TLS records;
    /// the last record holds the rest. Empty = one record.
    /// </summary>
    public ImmutableArray<int> HelloFragments { get; init; } = [];

    /// <summary>Bytes per write.</summary>
    public int Piece { get; init; } = int.MaxValue;

    /// <summary>Bytes per write of the hello, if they differ.</summary>
    public int? HelloPiece { get; init; }

    /// <summary>Write a piece only after the proxy has read the one before: its reads then end where the pieces do.</summary>
    public bool IsSettled { get; init; }

    /// <summary>Most payload per TLS record: 2878 in Telegram's clients.</summary>
    public int RecordPayload { get; init; } = 2878;

    /// <summary>Send the ChangeCipherSpec record before the first data.</summary>
    public bool SendsChangeCipherSpec { get; init; } = true;

    /// <summary>Send the ChangeCipherSpec record as soon as the flight is there, in a write of its own (mtcute, WTelegramClient).</summary>
    public bool SendsChangeCipherSpecAlone { get; init; }

    /// <summary>Send the 64 bytes in a record and a write of their own (WTelegramClient, Telethon).</summary>
    public bool SendsHeaderAlone { get; init; }

    /// <summary>Most padding per packet of the padded transport.</summary>
    public int MaxPadding { get; init; } = 15;
}
