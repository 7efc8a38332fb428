using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Text;
using Portico.Core.Net;
using Portico.Protocol.Tls;
using static Portico.Web.Tls.OpenSsl;

namespace Portico.Web.Tls;

/// <summary>Where the records of a session come from and go to.</summary>
internal interface ITlsWire
{
    /// <summary>Reads bytes of records.</summary>
    IoStatus ReadRecords(Span<byte> buffer, out int count);

    /// <summary>Where bytes of records may be written, so that nobody has to copy them again.</summary>
    /// <param name="length">At most those of one record.</param>
    Span<byte> RoomForRecords(int length);

    /// <summary>So much was written there. It is taken, all of it.</summary>
    void WroteRecords(int length);
}

/// <summary>What is between plain bytes and records. One thread at a time.</summary>
internal interface ITlsSession
{
    /// <summary>Reads plain bytes until there are none or the buffer is full.</summary>
    /// <param name="wire">Where the records come from.</param>
    /// <param name="buffer">Takes them.</param>
    /// <param name="count">How many they are.</param>
    /// <returns>What kept more from being read, whatever was read before: Ok = the buffer is full.</returns>
    IoStatus Read(ITlsWire wire, Span<byte> buffer, out int count);

    /// <summary>Writes plain bytes, all of them.</summary>
    /// <param name="wire">Where the records go.</param>
    /// <param name="head">The first of them, if they lie elsewhere. They are no record of their own.</param>
    /// <param name="bytes">The others.</param>
    /// <returns>Reset if the session is over.</returns>
    IoStatus Write(ITlsWire wire, ReadOnlySpan<byte> head, ReadOnlySpan<byte> bytes);

    /// <summary>Tells the peer that nothing more comes.</summary>
    void Shutdown(ITlsWire wire);

    /// <summary>Nothing of it is used any more.</summary>
    void Free();
}

/// <summary>One session of OpenSSL's, which holds no buffer while nothing moves. One thread at a time.</summary>
internal sealed unsafe class TlsSession : ITlsSession
{
    // Whose call is under way on this thread.
    [ThreadStatic]
    private static TlsSession? _current;

    [ThreadStatic]
    private static ExceptionDispatchInfo? _fault;

    private nint _ssl;
    private ITlsWire? _wire;
    private RecordCount _received;
    private RecordCount _sent;
    private bool _hasEnded;
    private byte[]? _clientSecret;
    private byte[]? _serverSecret;

    /// <param name="ssl">Its own from now on.</param>
    public TlsSession(nint ssl)
    {
        _ssl = ssl;
        var bio = BIO_new(TlsContext.WireMethod);
        SSL_set_bio(ssl, bio, bio);
        SSL_set_accept_state(ssl);
    }

    /// <summary>The name that was agreed on; empty = none was.</summary>
    public byte[] Protocol
    {
        get
        {
            byte* name;
            uint length;
            SSL_get0_alpn_selected(_ssl, &name, &length);
            return new ReadOnlySpan<byte>(name, (int)length).ToArray();
        }
    }

    /// <summary>Whether it is TLS 1.3.</summary>
    public bool IsLatest => SSL_version(_ssl) == TLS1_3_VERSION;

    /// <summary>Goes on with the handshake.</summary>
    /// <returns>Ok when it is done; WouldBlock = more has to come; Reset = it has failed, and what was written says why.</returns>
    public IoStatus Handshake(ITlsWire wire)
    {
        if (_ssl == 0) return IoStatus.Reset;
        Begin(wire);
        // When it is done, what was sent with the last step are tickets, the first records under the keys that stay.
        _sent = default;
        var result = SSL_do_handshake(_ssl);
        var status = result == 1 ? IoStatus.Ok : StatusOf(result);
        End();
        return status;
    }

    public IoStatus Read(ITlsWire wire, Span<byte> buffer, out int count)
    {
        (count, var status) = (0, IoStatus.Ok);
        if (_ssl == 0) return IoStatus.Reset;
        Begin(wire);
        fixed (byte* start = buffer)
        {
            while (status == IoStatus.Ok && count < buffer.Length)
            {
                var result = SSL_read(_ssl, start + count, buffer.Length - count);
                if (result > 0) count += result;
                else status = StatusOf(result);
            }
        }

        _hasEnded |= status is IoStatus.Eof or IoStatus.Reset;
        End();
        return status;
    }

    public IoStatus Write(ITlsWire wire, ReadOnlySpan<byte> head, ReadOnlySpan<byte> bytes)
    {
        if (!head.IsEmpty)
        {
            Span<byte> first = stackalloc byte[TlsRecordCipher.MaxContent];
            var part = bytes[..Math.Min(bytes.Length, first.Length - head.Length)];
            head.CopyTo(first);
            part.CopyTo(first[head.Length..]);
            var status = Write(wire, first[..(head.Length + part.Length)]);
            if (status != IoStatus.Ok || part.Length == bytes.Length) return status;
            bytes = bytes[part.Length..];
        }

        return Write(wire, bytes);
    }

    private IoStatus Write(ITlsWire wire, ReadOnlySpan<byte> bytes)
    {
        if (_ssl == 0) return IoStatus.Reset;
        Begin(wire);
        fixed (byte* start = bytes)
        {
            var written = SSL_write(_ssl, start, bytes.Length);
            End();
            return written == bytes.Length ? IoStatus.Ok : IoStatus.Reset;
        }
    }

    public void Shutdown(ITlsWire wire)
    {
        if (_ssl == 0) return;
        Begin(wire);
        _ = SSL_shutdown(_ssl);
        End();
    }

    /// <summary>
    /// What goes on from here without OpenSSL, in a seventh of the memory: TLS 1.3 is nothing but records by now. This session is freed.
    /// </summary>
    /// <param name="buffers">Of the loop that it stays on.</param>
    /// <returns>Null, and this one goes on: it is older or has another cipher than AES, or a record was read by half.</returns>
    public TlsRecords? TryBecomeRecords(BufferPool buffers)
    {
        if (_ssl == 0 || !IsLatest || _hasEnded || !_received.IsBetween || SSL_has_pending(_ssl) != 0)
            return null;
        // Data that came before the handshake, for another server, was counted too; and who wants short records gets them there.
        if (SSL_get_early_data_status(_ssl) != 0 || SSL_SESSION_get_max_fragment_length(SSL_get_session(_ssl)) is > 0 and < 255)
            return null;
        var suite = SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(_ssl));
        if (_clientSecret is null || _serverSecret is null) return null;
        if (TlsTrafficSecret.Create(suite, _clientSecret) is not { } client
            || TlsTrafficSecret.Create(suite, _serverSecret) is not { } server)
            return null;
        Free();
        // The first of the client's was the end of its handshake, under other keys.
        return new TlsRecords(client, _received.Count - 1, server, _sent.Count, buffers);
    }

    public void Free()
    {
        if (_ssl == 0) return;
        SSL_free(_ssl);
        _ssl = 0;
    }

    // What a wire throws must not leave by way of OpenSSL.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    internal static int ReadWire(nint bio, byte* buffer, int length)
    {
        BIO_clear_flags(bio, BIO_FLAGS_RWS | BIO_FLAGS_SHOULD_RETRY);
        try
        {
            var status = _current!._wire!.ReadRecords(new Span<byte>(buffer, length), out var count);
            _current._received.Add(new ReadOnlySpan<byte>(buffer, count));
            if (status == IoStatus.Ok) return count;
            if (status != IoStatus.WouldBlock) return 0;
            BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY);
        }
        catch (Exception fault)
        {
            _fault = ExceptionDispatchInfo.Capture(fault);
        }

        return -1;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    internal static int WriteWire(nint bio, byte* bytes, int length)
    {
        BIO_clear_flags(bio, BIO_FLAGS_RWS | BIO_FLAGS_SHOULD_RETRY);
        try
        {
            var wire = _current!._wire!;
            _current._sent.Add(new ReadOnlySpan<byte>(bytes, length));
            for (var at = 0; at < length; at += TlsRecordCipher.MaxContent)
            {
                var part = new ReadOnlySpan<byte>(bytes + at, Math.Min(TlsRecordCipher.MaxContent, length - at));
                part.CopyTo(wire.RoomForRecords(part.Length));
                wire.WroteRecords(part.Length);
            }

            return length;
        }
        catch (Exception fault)
        {
            _fault = ExceptionDispatchInfo.Capture(fault);
            return -1;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    internal static nint ControlWire(nint bio, int command, nint number, nint pointer) => command == BIO_CTRL_FLUSH ? 1 : 0;

    // A line of the format that tools like to have in a file: what, the client's random, the secret.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    internal static void TakeSecret(nint ssl, byte* line)
    {
        var text = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(line);
        if (_current is not { } session) return;
        if (text.StartsWith("CLIENT_TRAFFIC_SECRET_0 "u8)) session._clientSecret = LastOf(text);
        if (text.StartsWith("SERVER_TRAFFIC_SECRET_0 "u8)) session._serverSecret = LastOf(text);
    }

    private static byte[] LastOf(ReadOnlySpan<byte> line) =>
        Convert.FromHexString(Encoding.ASCII.GetString(line[(line.LastIndexOf((byte)' ') + 1)..]));

    private void Begin(ITlsWire wire)
    {
        (_current, _wire) = (this, wire);
        ERR_clear_error();
    }

    private void End()
    {
        _current = null;
        _wire = null;
        if (_fault is not { } fault) return;
        _fault = null;
        fault.Throw();
    }

    private IoStatus StatusOf(int result) => SSL_get_error(_ssl, result) switch
    {
        SSL_ERROR_WANT_READ => IoStatus.WouldBlock,
        SSL_ERROR_ZERO_RETURN => IoStatus.Eof,
        _ => IoStatus.Reset,
    };
}
