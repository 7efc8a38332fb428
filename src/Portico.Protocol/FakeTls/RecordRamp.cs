namespace Portico.Protocol.FakeTls;

/// <summary>
/// How long the next record to a client may be. Many TLS servers begin with records of one segment,
/// so that the first can be decrypted as soon as it arrives, turn to longer ones while a transfer goes on,
/// and begin anew after a pause; others always send their longest. What is there to send goes out at once in either case,
/// only in other pieces. A mutable value of 12 bytes; default = growing, up to the usual length.
/// </summary>
public struct RecordRamp
{
    /// <summary>With its header 1400 bytes: one segment also behind IPv6, time stamps and a tunnel.</summary>
    public const int FirstPayload = 1400 - TlsWire.RecordHeaderLength;

    /// <summary>4096 bytes of plaintext, encrypted: three segments.</summary>
    public const int SecondPayload = 4096 + TlsRecordWriter.EncryptionOverhead;

    // About what a server may send before the first acknowledgement (RFC 6928:
    // ten segments), then as much as takes a slow start to a few round trips.
    private const int FirstBytes = 16 * 1024, SecondBytes = 128 * 1024;

    // Whole seconds are compared: a pause of one to two.
    private const int PauseSeconds = 2;

    private const int Constant = -1;

    private int _sent;
    private int _lastSeconds;
    private int _longest;

    /// <summary>What a full record carries.</summary>
    private readonly int Longest => _longest == 0 ? TlsRecordWriter.UsualPayload : _longest;

    /// <summary>For servers that fill every record.</summary>
    /// <param name="longest">What a full record carries, 1 to <see cref="TlsRecordWriter.MaxPayload"/> bytes.</param>
    public static RecordRamp Full(int longest = TlsRecordWriter.UsualPayload) => Growing(longest) with { _sent = Constant };

    /// <summary>For servers whose records grow.</summary>
    /// <param name="longest">What a full record carries, 1 to <see cref="TlsRecordWriter.MaxPayload"/> bytes.</param>
    public static RecordRamp Growing(int longest = TlsRecordWriter.UsualPayload)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(longest, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(longest, TlsRecordWriter.MaxPayload);
        return new RecordRamp { _longest = longest };
    }

    /// <summary>Most payload of the next record, in bytes.</summary>
    /// <param name="nowSeconds">On any clock that only goes forward.</param>
    public int Next(int nowSeconds)
    {
        if (_sent == Constant) return Longest;
        if (nowSeconds - _lastSeconds >= PauseSeconds) _sent = 0;
        _lastSeconds = nowSeconds;
        return _sent switch
        {
            < FirstBytes => Math.Min(FirstPayload, Longest),
            < FirstBytes + SecondBytes => Math.Min(SecondPayload, Longest),
            _ => Longest,
        };
    }

    /// <summary>So many bytes of payload were sent.</summary>
    public void Sent(int bytes)
    {
        if (_sent is >= 0 and < FirstBytes + SecondBytes) _sent += bytes;
    }
}
