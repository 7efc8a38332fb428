using System.Text.Json;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Secrets;
using Xunit;

namespace Portico.Protocol.Tests.FakeTls;

public class ServerFlightVerifierTests
{
    [Fact]
    public void A_client_takes_every_flight_of_the_vectors_however_it_arrives()
    {
        Assert.Equal(8, HelloCase.ServerHellos.Length);
        foreach (var flightCase in HelloCase.ServerHellos)
        {
            var response = flightCase.Hex("response");
            Segmentation.AssertDecides(response, Verifier(flightCase), FrameStatus.Ok, (response.Length, ServerFlightFault.None));
        }
    }

    [Fact]
    public void Bytes_behind_the_flight_are_reported_by_its_length()
    {
        var flightCase = HelloCase.ServerHellos[0];
        var response = flightCase.Hex("response");
        Assert.Equal((FrameStatus.Ok, response.Length, ServerFlightFault.None), Verify(flightCase, [.. response, 0x17]));
    }

    [Fact]
    public void Any_changed_byte_of_the_flight_is_found()
    {
        var flightCase = HelloCase.ServerHellos[0];
        var response = flightCase.Hex("response");
        for (var i = 0; i < response.Length; i++)
        {
            response[i] ^= 1;
            Assert.NotEqual(FrameStatus.Ok, Verify(flightCase, response).Status);
            response[i] ^= 1;
        }
        response[^1] ^= 1;
        Assert.Equal((FrameStatus.Invalid, 0, ServerFlightFault.WrongDigest), Verify(flightCase, response));
    }

    [Theory]
    [InlineData("15030300020232", ServerFlightFault.Alert)]
    [InlineData("48545450", ServerFlightFault.NotTls)]
    [InlineData("160301", ServerFlightFault.OtherServer)]
    [InlineData("1603030025", ServerFlightFault.OtherServer)]
    public void Other_answers_are_told_apart_as_soon_as_possible(string answer, ServerFlightFault fault) =>
        Assert.Equal((FrameStatus.Invalid, 0, fault), Verify(HelloCase.ServerHellos[0], Convert.FromHexString(answer)));

    [Fact]
    public void A_real_server_that_goes_on_without_our_three_records_is_another_server()
    {
        byte[] serverHello = [0x16, 3, 3, 0, 122, .. new byte[122]];
        var anyCase = HelloCase.ServerHellos[0];
        Assert.Equal((FrameStatus.Invalid, 0, ServerFlightFault.OtherServer), Verify(anyCase, [.. serverHello, 0x17]));
        Assert.Equal((FrameStatus.Invalid, 0, ServerFlightFault.OtherServer), Verify(anyCase, [.. serverHello, 0x14, 3, 3, 0, 1, 1, 0x16]));
    }

    private static ResumableParser<(int Length, ServerFlightFault Fault)> Verifier(JsonElement flightCase) =>
        (ReadOnlySpan<byte> answer, out (int Length, ServerFlightFault Fault) result) =>
    {
        using var key = new HmacKey(ProxySecret.Create(flightCase.Hex("secret")));
        return ServerFlightVerifier.Verify(answer, flightCase.Hex("client_random"), key, out result.Length, out result.Fault);
    };

    private static (FrameStatus Status, int Length, ServerFlightFault Fault) Verify(JsonElement flightCase, byte[] answer) =>
        (Verifier(flightCase)(answer, out var result), result.Length, result.Fault);
}
