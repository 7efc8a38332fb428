namespace Portico.Protocol.FakeTls;

/// <summary>
/// How long the next record to a client may be. Some TLS servers begin with records of one segment,
/// so that the first can be decrypted as soon as it arrives, turn to longer ones while a transfer goes on,
/// and begin anew after a pause; others always send their longest. What is there to send goes out at once in either case,
/// only in other pieces. The steps are the defaults of the one set of them in wide use, dynamic records for nginx
/// (ssl_dyn_rec_enable). A mutable value of 12 bytes; default = growing, up to the usual length.
/// </summary>
public struct RecordRamp
{
    /// <summary>1369 bytes of plaintext, encrypted: one segment, also behind IPv6 and with time stamps.</summary>
    public const int FirstPayload = 1369 + TlsRecordWriter.EncryptionOverhead;

    /// <summary>4229 bytes of plaintext, encrypted: three segments.</summary>
    public const int SecondPayload = 4229 + TlsRecordWriter.EncryptionOverhead;

    /// <summary>Records of the first length, and then of the second.</summary>
    public const int StepRecords = 40;

    // Whole seconds are compared: a pause of one to two.
    private const int PauseSeconds = 2;

    private const int Constant = -1;

    private int _records;
    private int _lastSeconds;
    private int _longest;

    /// <summary>What a full record carries.</summary>
    private readonly int Longest => _longest == 0 ? TlsRecordWriter.UsualPayload : _longest;

    /// <summary>For servers that fill every record.</summary>
    /// <param name="longest">What a full record carries, 1 to <see cref="TlsRecordWriter.MaxPayload"/> bytes.</param>
    public static RecordRamp Full(int longest = TlsRecordWriter.UsualPayload) => Growing(longest) with { _records = Constant };

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
        if (_records == Constant) return Longest;
        if (nowSeconds - _lastSeconds >= PauseSeconds) _records = 0;
        _lastSeconds = nowSeconds;
        return _records switch
        {
            < StepRecords => Math.Min(FirstPayload, Longest),
            < 2 * StepRecords => Math.Min(SecondPayload, Longest),
            _ => Longest,
        };
    }

    /// <summary>A record was sent, full or not.</summary>
    public void Sent()
    {
        if (_records is >= 0 and < 2 * StepRecords) _records++;
    }
}
