using System.Buffers.Binary;
using System.Security.Cryptography;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Secrets;
using Xunit;

namespace Portico.Protocol.Tests.FakeTls;

public class HelloDigestTests
{
    private const uint Time = 1_760_000_000;

    private readonly byte[] _scratch = new byte[HelloDigest.ScratchLength];

    [Fact]
    public void Whoever_guesses_the_time_of_a_hello_can_change_it_but_not_the_fingerprint()
    {
        using var key = new HmacKey(SecretOf(1));
        var hello = Hello(key, "example.com"u8);
        var changed = hello.ToArray();
        var hidden = changed.AsSpan(39, 4);
        BinaryPrimitives.WriteUInt32LittleEndian(hidden, BinaryPrimitives.ReadUInt32LittleEndian(hidden) ^ Time ^ (Time + 500));

        Assert.True(HelloDigest.Matches(changed, key, out var timestamp));
        Assert.Equal(Time + 500, timestamp);
        Assert.Equal(HelloDigest.ReplayFingerprint(hello.AsSpan(11, 32)), HelloDigest.ReplayFingerprint(changed.AsSpan(11, 32)));
        changed[38] ^= 1;
        Assert.False(HelloDigest.Matches(changed, key, out _));
    }

    [Fact]
    public void A_secret_derived_for_the_name_signs_and_its_base_does_not()
    {
        var secrets = Enumerable.Range(0, 5).Select(SecretOf).ToArray();
        using var derived = new HmacKey(PerSniSecret.Derive("salt"u8, secrets[3], "example.com"u8));
        using var plain = new HmacKey(secrets[3]);

        Assert.Equal((3, Time), Find(Hello(derived, "example.com"u8), secrets, "salt"u8, "example.com"u8));
        Assert.Equal((-1, 0u), Find(Hello(derived, "example.com"u8), secrets, "Salt"u8, "example.com"u8));
        Assert.Equal((-1, 0u), Find(Hello(plain, "example.com"u8), secrets, "salt"u8, "example.com"u8));
        Assert.Equal((-1, 0u), Find(Hello(derived, "Example.com"u8), secrets, "salt"u8, "Example.com"u8));
    }

    private static ProxySecret SecretOf(int number) => ProxySecret.Create([(byte)number, .. new byte[ProxySecret.Length - 1]]);

    private static byte[] Hello(HmacKey key, ReadOnlySpan<byte> name)
    {
        var hello = new byte[ClientHelloWriter.MaxLength];
        return hello[..new ClientHelloWriter(RandomNumberGenerator.Fill).Write(hello, ClientHelloShape.Classic517, name, key, Time)];
    }

    private (int Index, uint Time) Find(byte[] hello, ProxySecret[] secrets, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> sni) =>
        (HelloDigest.IndexOfSigner(hello, secrets, salt, sni, _scratch, out var time), time);
}
