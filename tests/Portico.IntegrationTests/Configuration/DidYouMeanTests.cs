using Portico.Core.Options;
using Xunit;

namespace Portico.IntegrationTests.Configuration;

public class DidYouMeanTests
{
    private static readonly string[] Names = ["listeners", "backend", "timeouts", "loops", "port"];

    [Theory]
    [InlineData("listener", "listeners")]
    [InlineData("LISTENERS", "listeners")]
    [InlineData("lsiteners", "listeners")]
    [InlineData("timeout", "timeouts")]
    [InlineData("ports", "port")]
    [InlineData("loop", "loops")]
    public void A_slip_finds_the_name(string written, string meant) => Assert.Equal(meant, DidYouMean.Closest(written, Names));

    [Theory]
    [InlineData("tables")]
    [InlineData("replay")]
    [InlineData("x")]
    [InlineData("")]
    public void Another_word_finds_none(string written) => Assert.Null(DidYouMean.Closest(written, Names));
}
