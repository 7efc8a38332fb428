using System.Globalization;
using System.Net;
using System.Text;

namespace Portico.TestKit.Telegram;

/// <summary>How the configuration site answers a path instead of honestly.</summary>
public sealed record SiteReply
{
    /// <summary>Bytes of <see cref="Oversized"/>: more than any of the documents may have.</summary>
    public const int OversizedLength = 4 * 1024 * 1024;

    public int Status { get; init; } = (int)HttpStatusCode.OK;

    public byte[] Body { get; init; } = [];

    /// <summary>
    /// What Content-Length says: null = the truth, negative = there
    /// is none and the end of the connection is the end of the body.
    /// </summary>
    public long? DeclaredLength { get; init; }

    /// <summary>Where to go instead.</summary>
    public Uri? Location { get; init; }

    /// <summary>The time that it tells; null = none.</summary>
    public DateTimeOffset? Date { get; init; }

    /// <summary>Everything that is sent, head included; the other properties mean nothing then.</summary>
    public byte[]? Raw { get; init; }

    /// <summary>Answers when this opens.</summary>
    public Gate? Gate { get; init; }

    /// <summary>An error page.</summary>
    public static SiteReply Error(int status) => new() { Status = status, Body = "<html><body>no</body></html>"u8.ToArray() };

    /// <summary>200 with this text.</summary>
    public static SiteReply Text(string text) => new() { Body = Encoding.UTF8.GetBytes(text) };

    /// <summary>302 to another place.</summary>
    public static SiteReply Redirect(Uri location) => new() { Status = (int)HttpStatusCode.Found, Location = location };

    /// <summary>The connection ends before the body does.</summary>
    public static SiteReply Truncated(byte[] body) => new() { Body = body, DeclaredLength = body.Length + 100 };

    /// <summary>4 MiB of text, with or without saying so before.</summary>
    public static SiteReply Oversized(bool isDeclared)
    {
        var body = new byte[OversizedLength];
        body.AsSpan().Fill((byte)' ');
        return new SiteReply { Body = body, DeclaredLength = isDeclared ? null : -1 };
    }

    /// <summary>Bytes that are no HTTP.</summary>
    public static SiteReply Garbage() => new() { Raw = [0x15, 3, 3, 0, 2, 2, 40, .. "\r\n\r\n"u8] };

    internal byte[] ToBytes()
    {
        if (Raw is not null)
            return Raw;
        var head = new StringBuilder($"HTTP/1.1 {Status} {(HttpStatusCode)Status}\r\nConnection: close\r\n");
        if (DeclaredLength is not < 0)
            head.Append("Content-Length: ").Append(DeclaredLength ?? Body.Length).Append("\r\n");
        if (Location is not null)
            head.Append("Location: ").Append(Location).Append("\r\n");
        if (Date is { } date)
            head.Append("Date: ").Append(date.ToString("R", CultureInfo.InvariantCulture)).Append("\r\n");
        return [.. Encoding.ASCII.GetBytes(head.Append("\r\n").ToString()), .. Body];
    }
}
