using Portico.Protocol.MiddleProxy;
using Xunit;

namespace Portico.Protocol.Tests.MiddleProxy;

public class AdTagTests
{
    [Fact]
    public void Thirty_two_digits_of_any_case_are_a_tag_that_prints_in_lower_case()
    {
        Assert.True(AdTag.TryParse("DCBE8F1493FA4CD9AB300891C0B5B326", out var tag));
        Assert.Equal("dcbe8f1493fa4cd9ab300891c0b5b326", tag.ToString());
        Assert.Equal(Vectors.Hex("dcbe8f1493fa4cd9ab300891c0b5b326"), tag.Bytes);
        Assert.Equal(AdTag.Create(tag.Bytes), tag);
        Assert.NotEqual(AdTag.Create(new byte[AdTag.Length]), tag);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("dcbe8f1493fa4cd9ab300891c0b5b3")]
    [InlineData("dcbe8f1493fa4cd9ab300891c0b5b32600")]
    [InlineData("dcbe8f1493fa4cd9ab300891c0b5b32g")]
    [InlineData(" dcbe8f1493fa4cd9ab300891c0b5b32")]
    [InlineData("0xbe8f1493fa4cd9ab300891c0b5b326")]
    public void Other_text_is_no_tag(string? text) => Assert.False(AdTag.TryParse(text, out _));

    [Fact]
    public void Other_lengths_are_the_callers_mistake() => Assert.Throws<ArgumentException>(() => AdTag.Create(new byte[AdTag.Length - 1]));
}
