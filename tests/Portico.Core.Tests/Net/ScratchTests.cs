using Portico.Core.Net;
using Xunit;

namespace Portico.Core.Tests.Net;

public class ScratchTests
{
    private readonly Scratch _scratch = new();

    [Fact]
    public void The_checks_are_on_in_this_project() => Assert.True(LoopChecks.Enabled);

    [Fact]
    public void A_second_loan_while_the_first_lasts_is_an_error()
    {
        using var loan = _scratch.Borrow();
        Assert.Throws<InvalidOperationException>(() => _scratch.Borrow().Dispose());
    }

    [Fact]
    public void It_can_be_borrowed_again_when_it_was_given_back_and_its_old_content_is_gone()
    {
        using (var first = _scratch.Borrow()) first.Bytes.Fill(1);
        using var second = _scratch.Borrow();
        Assert.Equal(Scratch.Length, second.Bytes.Length);
        Assert.Equal(-1, second.Bytes.IndexOf((byte)1));
    }

    [Fact]
    public void It_is_given_back_when_the_borrower_throws()
    {
        Assert.Throws<TimeZoneNotFoundException>(Fail);
        using var again = _scratch.Borrow();
        Assert.Equal(Scratch.Length, again.Bytes.Length);
    }

    private void Fail()
    {
        using var loan = _scratch.Borrow();
        throw new TimeZoneNotFoundException();
    }
}
