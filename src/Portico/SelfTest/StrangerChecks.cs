using System.Net;
using System.Security.Cryptography;
using Portico.Protocol;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Obfuscation;
using Portico.Protocol.Secrets;

namespace Portico.SelfTest;

/// <summary>What somebody must see who does not know the secret (spec/02 sections 8 and 10.2, without a cover).</summary>
internal static class StrangerChecks
{
    /// <summary>The checks of strangers at one proxy.</summary>
    public static IEnumerable<Check> Of(string place, IPEndPoint proxy)
    {
        yield return new Check($"{place}/stranger/malformed-hello", cancel => ExpectAsync(
            proxy, HelloRecords.Malformed(), TlsAlert.DecodeError.ToArray(), cancel));
        yield return new Check($"{place}/stranger/wrong-secret-fake-tls", cancel => ExpectAsync(proxy, WrongHello(), [], cancel));
        yield return new Check($"{place}/stranger/wrong-secret-secure", cancel => ExpectAsync(proxy, WrongHeader(), [], cancel));
    }

    private static async Task ExpectAsync(IPEndPoint proxy, byte[] sent, byte[] expected, CancellationToken cancel)
    {
        using var socket = await SelfTestClient.DialAsync(proxy, cancel);
        await socket.SendWholeAsync(sent, cancel);
        var answer = new byte[1024];
        var length = 0;
        while (length < answer.Length)
        {
            var count = await socket.ReceiveAsync(answer.AsMemory(length), cancel);
            if (count == 0) break; // FIN; a reset is a SocketException
            length += count;
        }

        if (answer.AsSpan(0, length).SequenceEqual(expected)) return;
        throw new CheckFailedException(
            $"the answer is {length} bytes \"{Convert.ToHexStringLower(answer.AsSpan(0, Math.Min(length, 16)))}\", "
                + $"not \"{Convert.ToHexStringLower(expected)}\"");
    }

    private static byte[] WrongHello() => WhoDoesNotKnow().Hello(ClientHelloShape.PostQuantum);

    private static byte[] WrongHeader()
    {
        var header = new byte[ObfuscatedHeader.Length];
        WhoDoesNotKnow().WriteHeader(header, Transport.Padded, dcId: 2, out _);
        return header;
    }

    private static SelfTestClient WhoDoesNotKnow() =>
        new(ProxySecret.Create(RandomNumberGenerator.GetBytes(ProxySecret.Length)), SelfTestClient.AnyDomain);
}
