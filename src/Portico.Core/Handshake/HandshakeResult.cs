using Portico.Core.Net;
using Portico.Core.Users;
using Portico.Protocol;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Obfuscation;
using Portico.Protocol.Secrets;

namespace Portico.Core.Handshake;

/// <summary>
/// The client's side of a session as the handshake learns it: first what its hello said, then its streams, DC and framing, then what it
/// sent early. Part of the pooled handshake state; a backend copies what outlives the handshake.
/// </summary>
internal sealed class HandshakeResult
{
    private readonly byte[] _random = new byte[32];
    private readonly byte[] _sessionId = new byte[32];
    private int _sessionIdLength;

    /// <summary>The client speaks fake TLS.</summary>
    public bool IsTls { get; private set; }

    /// <summary>What it proved to know; null before that.</summary>
    public Credential? Credential { get; private set; }

    /// <summary>What a fake-TLS client signed its hello with; its flight and its streams are made of the same.</summary>
    public ProxySecret? Secret { get; private set; }

    /// <summary>When it signed its hello, by its own clock, Unix seconds.</summary>
    public uint Timestamp { get; private set; }

    /// <summary>The suite to answer with as long as nobody knows what the cover would choose.</summary>
    public ushort CipherSuite { get; private set; }

    /// <summary>The suites of TLS 1.3 that it offers.</summary>
    public TlsSuiteOffer Suites { get; private set; }

    /// <summary>Its hello is one of the newer ones, to which some servers have more to say.</summary>
    public bool HasPostQuantumShare { get; private set; }

    /// <summary>How many raw bytes were hello or header; what follows is early data.</summary>
    public int RawConsumed { get; private set; }

    /// <summary>The client random of the hello.</summary>
    public ReadOnlySpan<byte> Random => _random;

    /// <summary>The session id of the hello, to be echoed.</summary>
    public ReadOnlySpan<byte> SessionId => _sessionId.AsSpan(0, _sessionIdLength);

    /// <summary>Strips the client's records.</summary>
    public TlsRecordReader Records;

    /// <summary>Both obfuscated streams, once the header was read.</summary>
    public ObfuscatedStreams Streams;

    public Transport Transport { get; set; }

    /// <summary>As the client gave it: negative = media, 0 = it did not say.</summary>
    public short DcId { get; set; }

    /// <summary>Decrypted bytes that came together with the header. Rented; given back when the handshake ends.</summary>
    public byte[]? Early { get; private set; }

    public int EarlyLength { get; private set; }

    /// <summary>Keeps what the answer to a client of ours needs; the judgement's own bytes are about to be reused.</summary>
    public void Remember(in Judgement judgement)
    {
        IsTls = judgement.IsTls;
        Credential = judgement.Credential;
        if (!IsTls)
        {
            Streams = judgement.Streams;
            Transport = judgement.Transport;
            DcId = judgement.DcId;
            RawConsumed = ObfuscatedHeader.Length;
            return;
        }

        var hello = judgement.Hello;
        hello.Hello.Random.CopyTo(_random);
        _sessionIdLength = hello.Hello.SessionId.Length;
        hello.Hello.SessionId.CopyTo(_sessionId);
        Secret = judgement.Secret;
        Timestamp = hello.Timestamp;
        CipherSuite = hello.CipherSuite;
        Suites = TlsSuiteOffer.Of(hello.Hello.CipherSuites);
        HasPostQuantumShare = hello.Hello.HasPostQuantumShare;
        RawConsumed = hello.RawConsumed;
    }

    /// <summary>Decrypts and keeps what came behind the header in the same read.</summary>
    public void KeepEarly(BufferPool buffers, Span<byte> bytes)
    {
        if (bytes.IsEmpty) return;
        Streams.ClientToServer.Transform(bytes);
        Early = buffers.Rent(bytes.Length);
        bytes.CopyTo(Early);
        EarlyLength = bytes.Length;
    }

    /// <summary>Ready for the next client; keys of the last one are gone.</summary>
    public void Reset(BufferPool buffers)
    {
        if (Early is not null) buffers.Return(Early);
        Early = null;
        EarlyLength = 0;
        Streams = default;
        Records = default;
        Secret = null;
        Credential = null;
        RawConsumed = 0;
        IsTls = false;
    }
}
