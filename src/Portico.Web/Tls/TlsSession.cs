using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Portico.Core.Net;
using static Portico.Web.Tls.OpenSsl;

namespace Portico.Web.Tls;

/// <summary>Where the records of a session come from and go to.</summary>
internal interface ITlsWire
{
    /// <summary>Reads bytes of records.</summary>
    IoStatus ReadRecords(Span<byte> buffer, out int count);

    /// <summary>Takes bytes of records, all of them.</summary>
    void WriteRecords(ReadOnlySpan<byte> bytes);
}

/// <summary>One session of OpenSSL's, which holds no buffer while nothing moves. One thread at a time.</summary>
internal sealed unsafe class TlsSession
{
    // Whom the call that is under way on this thread reads from and writes to.
    [ThreadStatic]
    private static ITlsWire? _wire;

    [ThreadStatic]
    private static ExceptionDispatchInfo? _fault;

    private nint _ssl;

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
        var result = SSL_do_handshake(_ssl);
        var status = result == 1 ? IoStatus.Ok : StatusOf(result);
        End();
        return status;
    }

    /// <summary>Reads plain bytes until there are none or the buffer is full.</summary>
    /// <param name="wire">Where the records come from.</param>
    /// <param name="buffer">Takes them.</param>
    /// <param name="count">How many they are.</param>
    /// <returns>What kept more from being read, whatever was read before: Ok = the buffer is full.</returns>
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

        End();
        return status;
    }

    /// <summary>Writes plain bytes, all of them.</summary>
    /// <returns>Reset if the session is over.</returns>
    public IoStatus Write(ITlsWire wire, ReadOnlySpan<byte> bytes)
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

    /// <summary>Tells the peer that nothing more comes.</summary>
    public void Shutdown(ITlsWire wire)
    {
        if (_ssl == 0) return;
        Begin(wire);
        _ = SSL_shutdown(_ssl);
        End();
    }

    /// <summary>Nothing of it is used any more.</summary>
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
            var status = _wire!.ReadRecords(new Span<byte>(buffer, length), out var count);
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
            _wire!.WriteRecords(new ReadOnlySpan<byte>(bytes, length));
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

    private static void Begin(ITlsWire wire)
    {
        _wire = wire;
        ERR_clear_error();
    }

    private static void End()
    {
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
