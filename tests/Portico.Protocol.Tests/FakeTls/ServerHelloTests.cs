using Portico.Protocol.FakeTls;
using Xunit;

namespace Portico.Protocol.Tests.FakeTls;

public class ServerHelloTests
{
    [Theory]
    [InlineData(0x1301, 0x001d, 32, true)]
    [InlineData(0x1302, 0x001d, 32, false)]
    [InlineData(0x1303, 0x11ec, 1120, true)]
    [InlineData(0x1303, 0x0017, 65, false)]
    public void A_hello_says_suite_group_and_order(int suite, int group, int key, bool isKeyShareFirst)
    {
        var share = RealFlight.KeyShare(group, key);
        byte[] extensions = isKeyShareFirst ? [.. share, .. RealFlight.Versions] : [.. RealFlight.Versions, .. share];

        Assert.True(ServerHello.TryParse(RealFlight.Hello(extensions, suite: suite), out var hello));

        Assert.Equal((true, false, (ushort)suite, (ushort)group), (hello.IsTls13, hello.IsRetryRequest, hello.CipherSuite, hello.Group));
        Assert.Equal(isKeyShareFirst ? ServerExtensionOrder.KeyShareFirst : ServerExtensionOrder.SupportedVersionsFirst, hello.Order);
        Assert.False(hello.HasOtherExtensions);
    }

    [Fact]
    public void A_retry_request_is_known_by_its_random_and_names_the_group_that_it_wants()
    {
        byte[] extensions = [.. RealFlight.Versions, 0, 0x33, 0, 2, 0, 0x17, 0, 0x2c, 0, 1, 7];
        Assert.True(ServerHello.TryParse(RealFlight.Hello(extensions, RealFlight.RetryRandom), out var hello));
        Assert.Equal((true, true, (ushort)0x17, true), (hello.IsTls13, hello.IsRetryRequest, hello.Group, hello.HasOtherExtensions));

        // A cookie alone will do.
        Assert.True(ServerHello.TryParse(RealFlight.Hello([.. RealFlight.Versions, 0, 0x2c, 0, 1, 7], RealFlight.RetryRandom), out hello));
        Assert.Equal((true, (ushort)0), (hello.IsRetryRequest, hello.Group));
    }

    [Fact]
    public void A_hello_without_the_version_extension_is_one_of_an_older_server()
    {
        byte[] extensions = [0xff, 1, 0, 1, 0];
        Assert.True(ServerHello.TryParse(RealFlight.Hello(extensions, suite: 0xc02f), out var hello));
        Assert.False(hello.IsTls13);

        // TLS 1.0 servers have no block of extensions at all.
        byte[] old = [2, 0, 0, 38, 3, 1, .. new byte[32], 0, 0, 0x2f, 0];
        Assert.True(ServerHello.TryParse(old, out hello));
        Assert.False(hello.IsTls13);
    }

    [Fact]
    public void The_flight_that_we_send_ourselves_is_read_as_what_it_pretends_to_be()
    {
        var flight = new byte[ServerFlight.Length(32, 100)];
        var scratch = new byte[ServerFlight.ScratchLength(flight.Length)];
        ServerFlight.Write(
            flight, scratch, Portico.Protocol.Secrets.ProxySecret.Create(new byte[16]), new byte[32],
            new byte[32], 0x1303, new byte[32], ServerExtensionOrder.SupportedVersionsFirst);
        Assert.True(ServerHello.TryParse(flight.AsSpan(5, 122), out var hello));
        Assert.Equal(
            (true, (ushort)0x1303, (ushort)0x1d, ServerExtensionOrder.SupportedVersionsFirst, false),
            (hello.IsTls13, hello.CipherSuite, hello.Group, hello.Order, hello.HasOtherExtensions));
    }

    [Fact]
    public void A_message_that_is_cut_anywhere_or_has_bytes_behind_it_is_none()
    {
        var message = RealFlight.Hello([.. RealFlight.Versions, .. RealFlight.KeyShare(0x1d, 32)]);
        Assert.True(ServerHello.TryParse(message, out _));
        for (var length = 0; length < message.Length; length++)
        {
            Assert.False(ServerHello.TryParse(message.AsSpan(0, length), out _));
            // With lengths that agree, too.
            var cut = message[..length];
            if (length >= 4) (cut[2], cut[3]) = ((byte)((length - 4) >> 8), (byte)(length - 4));
            Assert.False(ServerHello.TryParse(cut, out var hello) && hello.IsTls13);
        }

        Assert.False(ServerHello.TryParse([.. message, 0], out _));
    }

    [Fact]
    public void What_contradicts_itself_is_refused()
    {
        var share = RealFlight.KeyShare(0x1d, 32);
        byte[][] bad =
        [
            RealFlight.Hello([.. RealFlight.Versions, .. share, .. share]),
            RealFlight.Hello([.. RealFlight.Versions, .. RealFlight.Versions, .. share]),
            RealFlight.Hello(RealFlight.Versions),  // TLS 1.3 without a share
            RealFlight.Hello([.. RealFlight.Versions, .. RealFlight.KeyShare(0, 32)]),
            RealFlight.Hello([.. RealFlight.Versions, .. RealFlight.KeyShare(0x1d, 0)]),
            RealFlight.Hello([.. RealFlight.Versions, 0, 0x33, 0, 2, 0, 0x1d]),  // a retry request's form
            RealFlight.Hello([.. RealFlight.Versions, .. share], sessionId: 33),
            RealFlight.Hello([.. RealFlight.Versions, .. share, 0]),
        ];
        Assert.All(bad, message => Assert.False(ServerHello.TryParse(message, out _)));
    }
}
