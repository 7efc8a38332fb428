using Portico.Core.Diagnostics;
using Portico.Protocol;
using Xunit;

namespace Portico.Core.Tests.Diagnostics;

public class CloseReasonTests
{
    public static TheoryData<CloseReason> All { get; } = [.. Enum.GetValues<CloseReason>()];

    [Theory]
    [MemberData(nameof(All))]
    public void Every_reason_is_named_after_its_value_and_has_a_guilty_side_and_a_level(CloseReason reason)
    {
        var snake = string.Concat($"{reason}".Select((letter, index) =>
            char.IsUpper(letter) && index > 0 ? $"_{char.ToLowerInvariant(letter)}" : $"{char.ToLowerInvariant(letter)}"));
        Assert.Equal(snake, reason.Tag());
        Assert.NotEmpty(reason.Side().Tag());
        Assert.True(Enum.IsDefined(reason.Level()));
    }

    [Fact]
    public void No_two_reasons_share_a_name() => Assert.Equal(
        Enum.GetValues<CloseReason>().Length, Enum.GetValues<CloseReason>().Select(reason => reason.Tag()).Distinct().Count());

    [Fact]
    public void Reasons_of_the_protocol_have_the_names_of_its_errors()
    {
        foreach (var error in Enum.GetValues<ProtocolError>()
            .Where(error => error is > ProtocolError.None and <= ProtocolError.TlsBadRecord))
        {
            Assert.Equal(error.Tag(), CloseReasons.Of(error).Tag());
            Assert.True(CloseReasons.Of(error).IsProtocolError());
        }
    }
}
