using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Secrets;

namespace Portico.TestKit.Clients;

/// <summary>Hellos, honest and otherwise.</summary>
public static class HelloBytes
{
    private const int RecordHeaderLength = 5;

    /// <summary>A hello in one record, signed with <paramref name="secret"/> at <paramref name="timestamp"/>.</summary>
    public static byte[] Create(
        ProxySecret secret, string domain, uint timestamp,
        ClientHelloShape shape = ClientHelloShape.PostQuantum, TlsSuiteOffer? suites = null)
    {
        using var key = new HmacKey(secret);
        var hello = new byte[ClientHelloWriter.MaxLength];
        var length = new ClientHelloWriter(RandomNumberGenerator.Fill) { Suites = suites ?? TlsSuiteOffer.Usual }
            .Write(hello, shape, Encoding.ASCII.GetBytes(domain), key, timestamp);
        return hello[..length];
    }

    /// <summary>The same message in several records (spec/02 section 2.1), fragments of the given lengths first.</summary>
    public static byte[] Fragment(byte[] hello, ImmutableArray<int> fragments)
    {
        var message = hello.AsSpan(RecordHeaderLength);
        var records = new List<byte>();
        foreach (var wanted in fragments.Append(message.Length))
        {
            var length = Math.Min(wanted, message.Length);
            if (length == 0)
                break;
            records.AddRange(hello.AsSpan(0, 3));
            records.AddRange([(byte)(length >> 8), (byte)length]);
            records.AddRange(message[..length]);
            message = message[length..];
        }
        return [.. records];
    }

    /// <summary>
    /// Renames the extension <paramref name="type"/> to one that no server knows,
    /// and signs again: the hello stays well-formed and lacks it.
    /// </summary>
    public static byte[] Without(byte[] hello, ushort type, ProxySecret secret, uint timestamp)
    {
        var changed = hello.ToArray();
        var at = ExtensionsOffset(hello);
        while (BinaryPrimitives.ReadUInt16BigEndian(changed.AsSpan(at)) != type)
            at += 4 + BinaryPrimitives.ReadUInt16BigEndian(changed.AsSpan(at + 2));
        BinaryPrimitives.WriteUInt16BigEndian(changed.AsSpan(at), 0xfafb);
        using var key = new HmacKey(secret);
        HelloDigest.Sign(changed, key, timestamp);
        return changed;
    }

    /// <summary>A record of 512 bytes whose extension block has length 0 with bytes behind it: no TLS server can decode that.</summary>
    public static byte[] Malformed()
    {
        var hello = new byte[517];
        byte[] start = [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03];
        start.CopyTo(hello, 0);
        RandomNumberGenerator.Fill(hello.AsSpan(11, 32));
        hello[43] = 0;  // no session id
        byte[] rest = [0x00, 0x02, 0x13, 0x01, 0x01, 0x00, 0x00, 0x00];  // one suite, no compression, extensions length 0
        rest.CopyTo(hello, 44);
        return hello;
    }

    /// <summary>
    /// Where the first extension stands: behind session id,
    /// suites and compression methods, each with its length before it.
    /// </summary>
    private static int ExtensionsOffset(byte[] hello)
    {
        var at = 43;
        at += 1 + hello[at];
        at += 2 + BinaryPrimitives.ReadUInt16BigEndian(hello.AsSpan(at));
        at += 1 + hello[at];
        return at + 2;
    }
}
