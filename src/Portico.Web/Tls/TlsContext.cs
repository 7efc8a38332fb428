using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using static Portico.Web.Tls.OpenSsl;

namespace Portico.Web.Tls;

/// <summary>What handshakes of one certificate have in common. From any thread.</summary>
internal sealed unsafe class TlsContext : SafeHandle
{
    private TlsContext(nint context)
        : base(0, ownsHandle: true) => SetHandle(context);

    public override bool IsInvalid => handle == 0;

    /// <summary>Where the calls of a session read and write.</summary>
    public static nint WireMethod { get; } = MakeWireMethod();

    /// <summary>Reads a certificate with what stands behind it, and its key.</summary>
    /// <param name="certificate">PEM: its own first, then those that vouch for it.</param>
    /// <param name="key">PEM, not encrypted.</param>
    /// <exception cref="InvalidDataException">They are not, or there is no OpenSSL 3.</exception>
    public static TlsContext Create(string certificate, string key)
    {
        try
        {
            var context = new TlsContext(SSL_CTX_new(TLS_server_method()));
            context.SetUp();
            context.UseCertificates(certificate);
            context.UseKey(key);
            return context;
        }
        catch (Exception problem) when (problem is DllNotFoundException or EntryPointNotFoundException)
        {
            throw new InvalidDataException("TLS needs OpenSSL 3 (libssl.so.3): install it, or have a server in front speak TLS", problem);
        }
    }

    /// <summary>A session that is to begin.</summary>
    public TlsSession NewSession()
    {
        var isHeld = false;
        DangerousAddRef(ref isHeld);
        try
        {
            return new TlsSession(SSL_new(handle)); // holds the context itself
        }
        finally
        {
            DangerousRelease();
        }
    }

    protected override bool ReleaseHandle()
    {
        SSL_CTX_free(handle);
        return true;
    }

    private void SetUp()
    {
        if (IsInvalid) throw new InvalidDataException("OpenSSL makes no context");
        Control(SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION);
        // Whoever is idle holds no buffers.
        Control(SSL_CTRL_MODE, SSL_MODE_RELEASE_BUFFERS);
        Control(SSL_CTRL_SET_READ_AHEAD, 1);
        // Clients keep their tickets; nothing of them stays here.
        Control(SSL_CTRL_SET_SESS_CACHE_MODE, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_options(handle, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
        // A session that is to carry nothing but records for long goes on without OpenSSL (TlsRecords).
        SSL_CTX_set_keylog_callback(handle, &TlsSession.TakeSecret);
        SSL_CTX_set_alpn_select_cb(handle, &SelectProtocol, 0);
    }

    private void Control(int command, nint number) => SSL_CTX_ctrl(handle, command, number, 0);

    private void UseCertificates(string text)
    {
        using var pem = new Pem(text);
        var isFirst = true;
        while (PEM_read_bio_X509(pem.Bio, 0, 0, 0) is not 0 and var certificate)
        {
            // A chain takes what it is given; the place for our own takes a share.
            var isTaken = isFirst
                ? SSL_CTX_use_certificate(handle, certificate) == 1
                : SSL_CTX_ctrl(handle, SSL_CTRL_EXTRA_CHAIN_CERT, 0, certificate) == 1;
            if (isFirst || !isTaken) X509_free(certificate);
            if (!isTaken) throw new InvalidDataException("OpenSSL takes no such certificate");
            isFirst = false;
        }

        ERR_clear_error(); // the last one is not there
        if (isFirst) throw new InvalidDataException("OpenSSL finds no certificate");
    }

    private void UseKey(string text)
    {
        using var pem = new Pem(text);
        var key = PEM_read_bio_PrivateKey(pem.Bio, 0, 0, 0);
        if (key == 0) throw new InvalidDataException("OpenSSL finds no key");
        var isTaken = SSL_CTX_use_PrivateKey(handle, key) == 1;
        EVP_PKEY_free(key);
        if (!isTaken) throw new InvalidDataException("the key is not the certificate's");
    }

    // HTTP/2 to whoever offers it (RFC 7301). A client that offers names and neither of these is refused, as by nginx.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int SelectProtocol(nint ssl, byte** chosen, byte* chosenLength, byte* offered, uint length, nint argument)
    {
        var names = new ReadOnlySpan<byte>(offered, (int)length);
        foreach (var wanted in TlsProtocols.InOrder)
        {
            for (var at = 0; at < names.Length && at + 1 + names[at] <= names.Length; at += 1 + names[at])
            {
                if (!names.Slice(at + 1, names[at]).SequenceEqual(wanted)) continue;
                *chosen = offered + at + 1;
                *chosenLength = names[at];
                return SSL_TLSEXT_ERR_OK;
            }
        }

        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }

    private static nint MakeWireMethod()
    {
        fixed (byte* name = "portico\0"u8)
        {
            var method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | 127, name);
            _ = BIO_meth_set_read(method, &TlsSession.ReadWire);
            _ = BIO_meth_set_write(method, &TlsSession.WriteWire);
            _ = BIO_meth_set_ctrl(method, &TlsSession.ControlWire);
            return method;
        }
    }

    private sealed class Pem : IDisposable
    {
        private GCHandle _bytes;

        public Pem(string text)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            _bytes = GCHandle.Alloc(bytes, GCHandleType.Pinned);
            Bio = BIO_new_mem_buf((byte*)_bytes.AddrOfPinnedObject(), bytes.Length);
        }

        public nint Bio { get; }

        public void Dispose()
        {
            _ = BIO_free(Bio);
            ((byte[])_bytes.Target!).AsSpan().Clear();
            _bytes.Free();
        }
    }
}

/// <summary>What is spoken inside TLS, by its names in ALPN.</summary>
internal static class TlsProtocols
{
    /// <summary>The one that is preferred first.</summary>
    public static byte[][] InOrder { get; } = ["h2"u8.ToArray(), "http/1.1"u8.ToArray()];
}
