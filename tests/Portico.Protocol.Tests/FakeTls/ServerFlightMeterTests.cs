using System.Security.Cryptography;
using Portico.Protocol.FakeTls;
using Xunit;

namespace Portico.Protocol.Tests.FakeTls;

public class ServerFlightMeterTests
{
    private static readonly byte[] HelloMessage = RealFlight.Hello([.. RealFlight.Versions, .. RealFlight.KeyShare(0x1d, 32)]);

    private static readonly byte[] HelloRecord = RealFlight.Record(HelloMessage);

    public static TheoryData<string, ServerFlightEnd, byte[]> Ends => new()
    {
        { "alert in place of a hello", ServerFlightEnd.Alert, [0x15, 3, 3, 0, 2, 2, 40] },
        { "alert of an old server", ServerFlightEnd.Alert, [0x15, 3, 1, 0, 2, 2, 40] },
        { "alert behind the hello", ServerFlightEnd.Alert, [.. HelloRecord, 0x15, 3, 3, 0, 2, 2, 80] },
        { "HTTP", ServerFlightEnd.NotTls, [.. "HTTP/1.1 400 Bad Request\r\n"u8] },
        { "zeros", ServerFlightEnd.NotTls, new byte[64] },
        { "SSL 2", ServerFlightEnd.NotTls, [0x16, 2, 0, 0, 10] },
        { "version 3.5", ServerFlightEnd.NotTls, [0x16, 3, 5, 0, 10] },
        { "application data first", ServerFlightEnd.BadRecord, RealFlight.Encrypted(64) },
        { "CCS first", ServerFlightEnd.BadRecord, RealFlight.ChangeCipherSpec },
        { "two CCS", ServerFlightEnd.BadRecord, [.. HelloRecord, .. RealFlight.ChangeCipherSpec, .. RealFlight.ChangeCipherSpec] },
        { "CCS of 2", ServerFlightEnd.BadRecord, [.. HelloRecord, 0x14, 3, 3, 0, 1, 2] },
        { "CCS of two bytes", ServerFlightEnd.BadRecord, [.. HelloRecord, 0x14, 3, 3, 0, 2, 1, 1] },
        {
            "handshake in the clear behind the hello", ServerFlightEnd.BadRecord,
            [.. HelloRecord, .. RealFlight.Record([8, 0, 0, 2, 0, 0])]
        },
        { "bytes behind the hello in its record", ServerFlightEnd.BadRecord, RealFlight.Record([.. HelloMessage, 8]) },
        { "empty handshake record", ServerFlightEnd.BadRecord, [0x16, 3, 3, 0, 0] },
        { "handshake record of 16385", ServerFlightEnd.BadRecord, [0x16, 3, 3, 0x40, 1] },
        { "encrypted record of 16", ServerFlightEnd.BadRecord, [.. HelloRecord, 0x17, 3, 3, 0, 16] },
        { "encrypted record of 16641", ServerFlightEnd.BadRecord, [.. HelloRecord, 0x17, 3, 3, 0x41, 1] },
        { "encrypted record of version 3.1", ServerFlightEnd.BadRecord, [.. HelloRecord, 0x17, 3, 1, 0, 64] },
        { "unknown record behind the hello", ServerFlightEnd.BadRecord, [.. HelloRecord, 0x18, 3, 3, 0, 64] },
        { "alert of three bytes", ServerFlightEnd.BadRecord, [0x15, 3, 3, 0, 3, 2, 40, 0] },
        { "a client's hello", ServerFlightEnd.BadHello, RealFlight.Record([1, .. HelloMessage[1..]]) },
        { "hello that cannot be read", ServerFlightEnd.BadHello, RealFlight.Record([2, 0, 0, 4, 3, 3, 1, 1]) },
        { "hello of 64 KB", ServerFlightEnd.BadHello, RealFlight.Record([2, 1, 0, 0]) },
        {
            "TLS 1.2 with more in the same record", ServerFlightEnd.OtherVersion,
            RealFlight.Record([.. RealFlight.Hello([], suite: 0xc02b), 11, 0, 0, 0])
        },
        {
            "retry request", ServerFlightEnd.RetryRequest,
            [
                .. RealFlight.Record(RealFlight.Hello([.. RealFlight.Versions, 0, 0x33, 0, 2, 0, 0x17], RealFlight.RetryRandom)),
                .. RealFlight.ChangeCipherSpec
            ]
        },
        { "257 records", ServerFlightEnd.TooLong, [.. HelloRecord, .. Enumerable.Range(0, 257).SelectMany(_ => RealFlight.Encrypted(17))] },
        {
            "more than 256 KB", ServerFlightEnd.TooLong,
            [.. HelloRecord, .. Enumerable.Range(0, 17).SelectMany(_ => RealFlight.Encrypted(16384))]
        },
    };

    [Fact]
    public void A_flight_is_measured_the_same_however_it_arrives()
    {
        foreach (var (how, parts) in Segmentation.Deliveries(RealFlight.Whole))
        {
            var meter = Read(parts);
            Assert.True(
                (ServerFlightEnd.None, true, true, true) == (meter.End, meter.HasHello, meter.HasChangeCipherSpec, meter.IsAtBoundary),
                how);
            Assert.Equal([36, 455, 96, 53], meter.RecordLengths);
            Assert.Equal(36 + 455 + 96 + 53 + 20, meter.EncryptedLength);
            Assert.Equal(((ushort)0x1302, (ushort)0x1d), (meter.Hello.CipherSuite, meter.Hello.Group));
        }
    }

    [Fact]
    public void A_hello_in_several_records_is_one_hello()
    {
        byte[] flight =
        [
            .. RealFlight.Record(HelloMessage[..1]), .. RealFlight.Record(HelloMessage[1..50]),
            .. RealFlight.Record(HelloMessage[50..]), .. RealFlight.Encrypted(200),
        ];
        foreach (var (_, parts) in Segmentation.Deliveries(flight))
        {
            var meter = Read(parts);
            Assert.Equal((ServerFlightEnd.None, true, 205), (meter.End, meter.HasHello, meter.EncryptedLength));
            Assert.False(meter.HasChangeCipherSpec);
        }
    }

    [Fact]
    public void A_flight_that_is_cut_off_is_never_at_a_boundary_with_too_much_in_it()
    {
        var borders = new List<(int Length, int Encrypted)>();
        foreach (var beginning in Segmentation.Truncations(RealFlight.Whole))
        {
            var meter = Read([beginning]);
            Assert.Equal(ServerFlightEnd.None, meter.End);
            if (meter.IsAtBoundary) borders.Add((beginning.Length, meter.EncryptedLength));
        }

        // Before anything, behind the hello, behind CCS, behind each record but the last.
        Assert.Equal([(0, 0), (127, 0), (133, 0), (174, 41), (634, 501), (735, 602)], borders);
    }

    [Theory]
    [MemberData(nameof(Ends))]
    public void What_is_no_flight_ends_for_one_reason_however_it_arrives(string what, ServerFlightEnd end, byte[] bytes)
    {
        foreach (var (how, parts) in Segmentation.Deliveries(bytes))
        {
            var meter = Read(parts);
            Assert.True(end == meter.End, $"{what}, {how}: {meter.End}");
            var known = (meter.EncryptedLength, meter.AlertDescription);
            Assert.Equal(end, meter.Feed(RealFlight.Whole));
            Assert.Equal(known, (meter.EncryptedLength, meter.AlertDescription));
        }
    }

    [Fact]
    public void An_alert_says_which()
    {
        var meter = Read([new byte[] { 0x15, 3, 3, 0, 2, 2, 112 }]);
        Assert.Equal((ServerFlightEnd.Alert, (byte)112), (meter.End, meter.AlertDescription));
    }

    [Fact]
    public void Random_bytes_and_flights_with_a_changed_byte_are_stood()
    {
        for (var i = 0; i < 2000; i++) Read([RandomNumberGenerator.GetBytes(300)]);
        for (var i = 0; i < RealFlight.Whole.Length; i++)
        {
            var changed = RealFlight.Whole.ToArray();
            changed[i] ^= (byte)RandomNumberGenerator.GetInt32(1, 256);
            var meter = Read([changed]);
            Assert.InRange(meter.EncryptedLength, 0, changed.Length);
        }
    }

    private static ServerFlightMeter Read(Memory<byte>[] parts)
    {
        var meter = new ServerFlightMeter();
        foreach (var part in parts) meter.Feed(part.Span);
        return meter;
    }

    private static ServerFlightMeter Read(byte[][] parts) => Read([.. parts.Select(part => part.AsMemory())]);
}
