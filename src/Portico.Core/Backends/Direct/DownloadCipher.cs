using Portico.Protocol.Crypto;

namespace Portico.Core.Backends.Direct;

/// <summary>Telegram-to-client cipher work of sessions without pass-through: the DC's stream off, the client's on.</summary>
internal sealed class DownloadCipher(AesCtr fromDc, AesCtr toClient)
{
    private AesCtr _fromDc = fromDc;
    private AesCtr _toClient = toClient;

    public void Transform(Span<byte> bytes) => AesCtr.TransformBoth(ref _fromDc, ref _toClient, bytes);
}
