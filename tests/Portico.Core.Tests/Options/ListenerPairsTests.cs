using System.Net;
using Portico.Core.Options;
using Xunit;

namespace Portico.Core.Tests.Options;

public class ListenerPairsTests
{
    [Theory]
    [InlineData("a:1 b:2", "a:1 b:2", "0 1")]
    [InlineData("a:1 b:2", "b:2 a:1", "1 0")] // another order
    [InlineData("main:1 listener-2:2", "main:2", "1")] // the first one, without a name of its own, went
    [InlineData("main:2", "main:1 listener-2:2", "-1 0")] // one came before it
    [InlineData("a:1", "b:1", "0")] // another name
    [InlineData("a:1", "a:2", "0")] // another address
    [InlineData("a:1 b:2", "b:1 a:2", "0 1")] // names changed places: clients keep to addresses
    [InlineData("a:1", "b:2", "-1")]
    [InlineData("", "a:1", "-1")]
    [InlineData("a:1", "", "")]
    [InlineData("a:1 b:1", "b:1 a:1", "1 0")]
    public void Each_listener_is_the_one_of_its_address_or_else_of_its_name(string before, string after, string expected) =>
        Assert.Equal(expected, string.Join(' ', ListenerPairs.Of([.. Parse(before)], [.. Parse(after)])));

    private static IEnumerable<ListenerSettings> Parse(string text) =>
        text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(item => item.Split(':')).Select(item => new ListenerSettings
        {
            Name = item[0],
            Address = new IPEndPoint(IPAddress.Loopback, int.Parse(item[1], System.Globalization.CultureInfo.InvariantCulture)),
            Credentials = [],
        });
}
