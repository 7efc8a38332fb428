using Portico.Protocol.Crypto;
using Xunit;

namespace Portico.Protocol.Tests.Crypto;

public class AesCbc256Tests
{
    private static readonly byte[] Key = Convert.FromHexString("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
    private static readonly byte[] Iv = Convert.FromHexString("000102030405060708090a0b0c0d0e0f");

    private delegate void Cipher(ReadOnlySpan<byte> key, Span<byte> iv, Span<byte> blocks);

    [Fact]
    public void The_nist_example_comes_out_of_both_twins()
    {
        // NIST SP 800-38A, F.2.5 and F.2.6.
        var plain = Convert.FromHexString(
            "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
                + "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710");
        var cipher = Convert.FromHexString(
            "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d"
                + "39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b");

        Assert.Equal(cipher, Run(AesCbc256.Encrypt, plain));
        Assert.Equal(cipher, Run(AesCbc256.EncryptPortable, plain));
        Assert.Equal(plain, Run(AesCbc256.Decrypt, cipher));
        Assert.Equal(plain, Run(AesCbc256.DecryptPortable, cipher));
    }

    [Fact]
    public void A_recorded_session_is_encrypted_packet_by_packet_and_decrypted_in_other_pieces()
    {
        var session = Vectors.Load("mtp_full.json").GetProperty("cbc_session");
        var key = session.Hex("key");
        var sendIv = session.Hex("iv");
        var plain = new List<byte>();
        foreach (var packet in session.GetProperty("packets").EnumerateArray())
        {
            var blocks = packet.Hex("plaintext_padded");
            plain.AddRange(blocks);
            AesCbc256.Encrypt(key, sendIv, blocks);
            Assert.Equal(packet.Hex("ciphertext"), blocks);
        }

        var all = session.Hex("ciphertext_all");
        for (var first = 0; first <= all.Length; first += AesCbc256.BlockLength)
        {
            var received = all.ToArray();
            var receiveIv = session.Hex("iv");
            AesCbc256.Decrypt(key, receiveIv, received.AsSpan(0, first));
            AesCbc256.Decrypt(key, receiveIv, received.AsSpan(first));
            Assert.Equal(plain, received);
        }
    }

    [Fact]
    public void Twins_agree_at_every_number_of_blocks_and_carry_the_same_iv()
    {
        var bytes = Enumerable.Range(0, 40 * AesCbc256.BlockLength).Select(i => (byte)(i * 167 + i / 256)).ToArray();
        for (var length = 0; length <= bytes.Length; length += AesCbc256.BlockLength)
        {
            var part = bytes[..length];
            AssertSame(AesCbc256.EncryptPortable, AesCbc256.Encrypt, part);
            AssertSame(AesCbc256.DecryptPortable, AesCbc256.Decrypt, part);
            Assert.Equal(part, Run(AesCbc256.Decrypt, Run(AesCbc256.Encrypt, part)));
        }

        static void AssertSame(Cipher expected, Cipher actual, byte[] bytes)
        {
            byte[] expectedIv = [.. Iv], actualIv = [.. Iv];
            byte[] expectedBlocks = [.. bytes], actualBlocks = [.. bytes];
            expected(Key, expectedIv, expectedBlocks);
            actual(Key, actualIv, actualBlocks);
            Assert.Equal(expectedBlocks, actualBlocks);
            Assert.Equal(expectedIv, actualIv);
        }
    }

    [Fact]
    public void Chains_in_lock_step_come_out_as_each_alone_whatever_their_lengths()
    {
        // Every order of lengths, equal ones and empty ones among them, on both sides of the least for which lock step pays.
        int[] blocks = [0, 1, 16, 17, 40];
        for (var which = 0; which < 5 * 5 * 5 * 5; which++)
        {
            var chains = new (byte[] Key, byte[] Iv, byte[] Blocks)[4];
            for (var (i, rest) = (0, which); i < 4; i++, rest /= 5)
                chains[i] = (Some(32, i), Some(16, i + 4), Some(blocks[rest % 5] * AesCbc256.BlockLength, i + 8));
            var expected = chains.Select(chain => ((byte[])chain.Iv.Clone(), (byte[])chain.Blocks.Clone())).ToArray();
            for (var i = 0; i < 4; i++) AesCbc256.EncryptPortable(chains[i].Key, expected[i].Item1, expected[i].Item2);

            AesCbc256.EncryptInLockStep(Chain(0), Chain(1), Chain(2), Chain(3));

            for (var i = 0; i < 4; i++)
            {
                Assert.Equal(expected[i].Item2, chains[i].Blocks);
                Assert.Equal(expected[i].Item1, chains[i].Iv);
            }

            CbcChain Chain(int i) => new(chains[i].Key, chains[i].Iv, chains[i].Blocks);
        }

        static byte[] Some(int length, int seed) => [.. Enumerable.Range(0, length).Select(i => (byte)((i * 31) + (seed * 97) + 5))];
    }

    [Fact]
    public void Part_of_a_block_is_refused()
    {
        Assert.Throws<ArgumentException>(() => AesCbc256.Encrypt(Key, new byte[16], new byte[17]));
        Assert.Throws<ArgumentException>(() => AesCbc256.Decrypt(Key, new byte[16], new byte[15]));
        Assert.Throws<ArgumentException>(() => AesCbc256.Decrypt(Key, new byte[12], new byte[16]));
        Assert.Throws<ArgumentException>(() => AesCbc256.Encrypt(new byte[16], new byte[16], new byte[16]));
        Assert.Throws<ArgumentException>(() => { _ = new CbcChain(Key, new byte[16], new byte[17]); });
    }

    private static byte[] Run(Cipher cipher, byte[] bytes)
    {
        byte[] iv = [.. Iv], blocks = [.. bytes];
        cipher(Key, iv, blocks);
        return blocks;
    }
}
