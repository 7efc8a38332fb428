using FsCheck;
using FsCheck.Fluent;
using Portico.Protocol.Crypto;
using Portico.Protocol.Obfuscation;
using Portico.Protocol.Secrets;
using Xunit;

namespace Portico.Protocol.Tests.Obfuscation;

/// <summary>The "obfuscated" properties of spec/05 section 9.3. A failure prints the seed that repeats it.</summary>
public class ObfuscationProperties
{
    private sealed record Client(byte[] Random, byte[] Key, Transport Transport, short DcId)
    {
        public ProxySecret Secret => ProxySecret.Create(Key);
    }

    [Fact]
    public void A_server_understands_any_client_and_talks_with_it_both_ways() => Prop.ForAll(
        Clients.ToArbitrary(),
        Bytes(Gen.Choose(0, 200)).ListOf().ToArbitrary(),
        Bytes(Gen.Choose(0, 200)).ListOf().ToArbitrary(),
        (client, sent, answered) =>
        {
            var header = client.Random.ToArray();
            ObfuscatedHeader.Write(header, client.Secret, client.Transport, client.DcId, out var ofClient);

            return ObfuscatedHeader.TryRead(header, client.Secret, out var ofServer, out var transport, out var dcId)
                && (transport, dcId) == (client.Transport, client.DcId)
                && Arrives(sent, ref ofClient.ClientToServer, ref ofServer.ClientToServer)
                && Arrives(answered, ref ofServer.ServerToClient, ref ofClient.ServerToClient);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Only_the_encrypted_tail_of_the_drawn_bytes_changes() => Prop.ForAll(
        Clients.ToArbitrary(),
        client =>
        {
            var header = client.Random.ToArray();
            ObfuscatedHeader.Write(header, client.Secret, client.Transport, client.DcId, out _);

            return header.AsSpan(0, 56).SequenceEqual(client.Random.AsSpan(0, 56))
                && ObfuscatedHeader.ReplayFingerprint(header).SequenceEqual(client.Random.AsSpan(8, 48));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Passed_through_answers_of_a_DC_are_what_the_client_reads() => Prop.ForAll(
        Clients.ToArbitrary(),
        Bytes(Gen.Constant(ObfuscatedHeader.Length)).ToArbitrary(),
        Bytes(Gen.Choose(0, 200)).ListOf().ToArbitrary(),
        (client, random, answered) =>
        {
            var header = client.Random.ToArray();
            ObfuscatedHeader.Write(header, client.Secret, client.Transport, client.DcId, out var ofClient);
            var toDcHeader = random.ToArray();
            var accepted = ObfuscatedHeader.TryRead(header, client.Secret, out var ofProxy, out var transport, out var dcId);
            ObfuscatedHeader.WriteToDc(toDcHeader, transport, dcId, in ofProxy.ServerToClientKey, out var toDc);

            return accepted
                && ObfuscatedHeader.TryRead(toDcHeader, secret: null, out var ofDc, out transport, out dcId)
                && (transport, dcId) == (client.Transport, client.DcId)
                && toDcHeader.AsSpan(0, 8).SequenceEqual(random.AsSpan(0, 8))
                && Arrives(answered, ref ofDc.ServerToClient, ref ofClient.ServerToClient)
                && Arrives(answered, ref toDc, ref ofDc.ClientToServer);
        }).QuickCheckThrowOnFailure();

    private static Gen<Client> Clients =>
        from random in Bytes(Gen.Constant(ObfuscatedHeader.Length))
        from key in Bytes(Gen.Constant(ProxySecret.Length))
        from transport in Gen.Elements(Enum.GetValues<Transport>())
        from dcId in Gen.Choose(-9, 9)
        select new Client(random, key, transport, (short)dcId);

    private static Gen<byte[]> Bytes(Gen<int> length) =>
        length.SelectMany(count => Gen.Choose(0, 255).Select(value => (byte)value).ArrayOf(count));

    /// <summary>Encrypts packet by packet and decrypts the concatenation in one go.</summary>
    private static bool Arrives(IEnumerable<byte[]> packets, ref AesCtr sender, ref AesCtr receiver)
    {
        var wire = new List<byte>();
        foreach (var packet in packets)
        {
            var bytes = packet.ToArray();
            sender.Transform(bytes);
            wire.AddRange(bytes);
        }

        var received = wire.ToArray();
        receiver.Transform(received);
        return received.AsSpan().SequenceEqual(packets.SelectMany(packet => packet).ToArray());
    }
}
