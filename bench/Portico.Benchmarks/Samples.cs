using System.Security.Cryptography;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Secrets;

namespace Portico.Benchmarks;

/// <summary>What benchmarks work on. Random, because a cipher or a parser that knew its input could be lucky.</summary>
internal static class Samples
{
    /// <summary>When the hellos are signed, Unix seconds.</summary>
    public const long Now = 1_760_000_000;

    public static byte[] Bytes(int length) => RandomNumberGenerator.GetBytes(length);

    public static ProxySecret Secret() => ProxySecret.Create(Bytes(ProxySecret.Length));

    /// <summary>A hello in one record: 517 bytes, or about 1.8 KB with a post-quantum key share.</summary>
    public static byte[] Hello(ProxySecret secret, ClientHelloShape shape)
    {
        using var key = new HmacKey(secret);
        var hello = new byte[ClientHelloWriter.MaxLength];
        return hello[..new ClientHelloWriter(RandomNumberGenerator.Fill).Write(hello, shape, "www.example.com"u8, key, (uint)Now)];
    }
}
