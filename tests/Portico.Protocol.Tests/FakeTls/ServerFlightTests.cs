using System.Globalization;
using System.Text.Json;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Secrets;
using Xunit;

namespace Portico.Protocol.Tests.FakeTls;

public class ServerFlightTests
{
    [Fact]
    public void Every_x25519_flight_of_the_vectors_is_written_byte_for_byte()
    {
        var written = 0;
        foreach (var flightCase in HelloCase.ServerHellos)
        {
            if (flightCase.GetProperty("group").GetString() != "001d")
                continue;
            written++;
            Assert.Equal(flightCase.GetProperty("response").GetString(), Convert.ToHexStringLower(Write(flightCase)));
        }
        Assert.Equal(7, written);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(16)]
    [InlineData(32)]
    public void The_session_id_is_echoed_whatever_its_length(int length)
    {
        var sessionId = Enumerable.Range(1, length).Select(i => (byte)i).ToArray();
        var flight = new byte[ServerFlight.Length(length, appDataLength: 1024)];
        ServerFlight.Write(
            flight, Scratch(flight), AnySecret, new byte[32], sessionId,
            TlsCipherSuites.Aes128GcmSha256, new byte[32], ServerExtensionOrder.KeyShareFirst);
        Assert.Equal(90 + length, flight[3] << 8 | flight[4]);
        Assert.Equal(length, flight[43]);
        Assert.Equal(sessionId, flight[44..(44 + length)]);
        var appData = ServerFlight.AppDataOffset(length);
        Assert.Equal([0x14, 3, 3, 0, 1, 1, 0x17, 3, 3, 4, 0], flight[(appData - 11)..appData]);
    }

    [Fact]
    public void Lengths_that_make_no_flight_are_the_callers_mistake()
    {
        Assert.Throws<ArgumentException>(() => WriteZeros(flight: ServerFlight.Length(32, 0) - 1, random: 32, sessionId: 32, share: 32));
        Assert.Throws<ArgumentException>(() => WriteZeros(flight: ServerFlight.Length(32, 16385), random: 32, sessionId: 32, share: 32));
        Assert.Throws<ArgumentException>(() => WriteZeros(flight: 1000, random: 31, sessionId: 32, share: 32));
        Assert.Throws<ArgumentException>(() => WriteZeros(flight: 1000, random: 32, sessionId: 33, share: 32));
        Assert.Throws<ArgumentException>(() => WriteZeros(flight: 1000, random: 32, sessionId: 32, share: 1216));
        Assert.Throws<ArgumentException>(
            () => WriteZeros(flight: 1000, random: 32, sessionId: 32, share: 32, scratch: ServerFlight.ScratchLength(1000) - 1));
    }

    [Fact]
    public void Writing_a_flight_allocates_nothing()
    {
        var (flight, scratch, random, point) = (new byte[ServerFlight.Length(32, 2000)], new byte[1 << 12], new byte[32], new byte[32]);
        Write();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Write();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Write() => ServerFlight.Write(
            flight, scratch, AnySecret, random, random, TlsCipherSuites.Aes128GcmSha256, point, ServerExtensionOrder.KeyShareFirst);
    }

    [Fact]
    public void The_alert_is_seven_bytes_decode_error() => Assert.Equal("15030300020232", Convert.ToHexStringLower(TlsAlert.DecodeError));

    internal static byte[] Write(JsonElement flightCase)
    {
        var sessionId = flightCase.Hex("session_id");
        var appData = flightCase.Hex("app_data");
        var flight = new byte[ServerFlight.Length(sessionId.Length, appData.Length)];
        flight.AsSpan().Fill(0xee);  // what a reused buffer may hold
        appData.CopyTo(flight.AsSpan(ServerFlight.AppDataOffset(sessionId.Length)));
        ServerFlight.Write(
            flight,
            Scratch(flight),
            ProxySecret.Create(flightCase.Hex("secret")),
            flightCase.Hex("client_random"),
            sessionId,
            ushort.Parse(flightCase.GetProperty("cipher_suite").GetString()!, NumberStyles.HexNumber, CultureInfo.InvariantCulture),
            flightCase.Hex("key_exchange"),
            flightCase.GetProperty("extension_order").GetString() == "ks_first"
                ? ServerExtensionOrder.KeyShareFirst
                : ServerExtensionOrder.SupportedVersionsFirst);
        return flight;
    }

    private static ProxySecret AnySecret { get; } = ProxySecret.Create(new byte[16]);

    private static void WriteZeros(int flight, int random, int sessionId, int share, int scratch = 1 << 15) =>
        ServerFlight.Write(
            new byte[flight],
            new byte[scratch],
            AnySecret,
            new byte[random],
            new byte[sessionId],
            TlsCipherSuites.Aes128GcmSha256,
            new byte[share],
            ServerExtensionOrder.KeyShareFirst);

    private static byte[] Scratch(byte[] flight) => new byte[ServerFlight.ScratchLength(flight.Length)];
}
