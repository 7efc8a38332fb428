using System.Reflection;
using System.Runtime.InteropServices;

namespace Portico.Web.Tls;

/// <summary>What is used of OpenSSL 3 (man 7 ssl), which the machine brings: the runtime needs it too.</summary>
internal static unsafe partial class OpenSsl
{
    public const int SSL_ERROR_WANT_READ = 2, SSL_ERROR_ZERO_RETURN = 6;
    public const int SSL_CTRL_EXTRA_CHAIN_CERT = 14, SSL_CTRL_MODE = 33, SSL_CTRL_SET_READ_AHEAD = 41,
        SSL_CTRL_SET_SESS_CACHE_MODE = 44, SSL_CTRL_SET_MIN_PROTO_VERSION = 123;
    public const int SSL_MODE_RELEASE_BUFFERS = 16, SSL_SESS_CACHE_OFF = 0;
    public const ulong SSL_OP_NO_RENEGOTIATION = 1 << 30, SSL_OP_NO_COMPRESSION = 1 << 17;
    public const int TLS1_2_VERSION = 0x0303, TLS1_3_VERSION = 0x0304;
    public const int SSL_TLSEXT_ERR_OK = 0, SSL_TLSEXT_ERR_ALERT_FATAL = 2;
    public const int BIO_TYPE_SOURCE_SINK = 0x400, BIO_CTRL_FLUSH = 11, BIO_FLAGS_READ = 1, BIO_FLAGS_RWS = 7, BIO_FLAGS_SHOULD_RETRY = 8;

    private const string Ssl = "libssl", Crypto = "libcrypto";

    // By the names that its third version has, and no other.
    static OpenSsl() => NativeLibrary.SetDllImportResolver(typeof(OpenSsl).Assembly, Resolve);

    [LibraryImport(Ssl)]
    public static partial nint TLS_server_method();

    [LibraryImport(Ssl)]
    public static partial nint SSL_CTX_new(nint method);

    [LibraryImport(Ssl)]
    public static partial void SSL_CTX_free(nint context);

    [LibraryImport(Ssl)]
    public static partial nint SSL_CTX_ctrl(nint context, int command, nint number, nint pointer);

    [LibraryImport(Ssl)]
    public static partial ulong SSL_CTX_set_options(nint context, ulong options);

    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_use_certificate(nint context, nint certificate);

    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_use_PrivateKey(nint context, nint key);

    [LibraryImport(Ssl)]
    public static partial void SSL_CTX_set_alpn_select_cb(
        nint context, delegate* unmanaged[Cdecl]<nint, byte**, byte*, byte*, uint, nint, int> select, nint argument);

    [LibraryImport(Ssl)]
    public static partial void SSL_CTX_set_keylog_callback(nint context, delegate* unmanaged[Cdecl]<nint, byte*, void> tell);

    [LibraryImport(Ssl)]
    public static partial nint SSL_new(nint context);

    [LibraryImport(Ssl)]
    public static partial void SSL_free(nint ssl);

    [LibraryImport(Ssl)]
    public static partial void SSL_set_accept_state(nint ssl);

    [LibraryImport(Ssl)]
    public static partial void SSL_set_bio(nint ssl, nint read, nint write);

    [LibraryImport(Ssl)]
    public static partial int SSL_do_handshake(nint ssl);

    [LibraryImport(Ssl)]
    public static partial int SSL_read(nint ssl, byte* buffer, int length);

    [LibraryImport(Ssl)]
    public static partial int SSL_write(nint ssl, byte* bytes, int length);

    [LibraryImport(Ssl)]
    public static partial int SSL_shutdown(nint ssl);

    [LibraryImport(Ssl)]
    public static partial int SSL_get_error(nint ssl, int result);

    [LibraryImport(Ssl)]
    public static partial int SSL_version(nint ssl);

    [LibraryImport(Ssl)]
    public static partial void SSL_get0_alpn_selected(nint ssl, byte** name, uint* length);

    [LibraryImport(Ssl)]
    public static partial int SSL_has_pending(nint ssl);

    [LibraryImport(Ssl)]
    public static partial int SSL_get_early_data_status(nint ssl);

    [LibraryImport(Ssl)]
    public static partial nint SSL_get_session(nint ssl);

    [LibraryImport(Ssl)]
    public static partial byte SSL_SESSION_get_max_fragment_length(nint session);

    [LibraryImport(Ssl)]
    public static partial nint SSL_get_current_cipher(nint ssl);

    [LibraryImport(Ssl)]
    public static partial ushort SSL_CIPHER_get_protocol_id(nint cipher);

    [LibraryImport(Crypto)]
    public static partial nint BIO_new_mem_buf(byte* bytes, int length);

    [LibraryImport(Crypto)]
    public static partial int BIO_free(nint bio);

    [LibraryImport(Crypto)]
    public static partial nint PEM_read_bio_X509(nint bio, nint into, nint password, nint argument);

    [LibraryImport(Crypto)]
    public static partial nint PEM_read_bio_PrivateKey(nint bio, nint into, nint password, nint argument);

    [LibraryImport(Crypto)]
    public static partial void X509_free(nint certificate);

    [LibraryImport(Crypto)]
    public static partial void EVP_PKEY_free(nint key);

    [LibraryImport(Crypto)]
    public static partial void ERR_clear_error();

    [LibraryImport(Crypto)]
    public static partial nint BIO_meth_new(int type, byte* name);

    [LibraryImport(Crypto)]
    public static partial int BIO_meth_set_read(nint method, delegate* unmanaged[Cdecl]<nint, byte*, int, int> read);

    [LibraryImport(Crypto)]
    public static partial int BIO_meth_set_write(nint method, delegate* unmanaged[Cdecl]<nint, byte*, int, int> write);

    [LibraryImport(Crypto)]
    public static partial int BIO_meth_set_ctrl(nint method, delegate* unmanaged[Cdecl]<nint, int, nint, nint, nint> control);

    [LibraryImport(Crypto)]
    public static partial nint BIO_new(nint method);

    [LibraryImport(Crypto)]
    public static partial void BIO_set_flags(nint bio, int flags);

    [LibraryImport(Crypto)]
    public static partial void BIO_clear_flags(nint bio, int flags);

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) =>
        name is Ssl or Crypto && NativeLibrary.TryLoad(name + ".so.3", out var library) ? library : 0;
}
