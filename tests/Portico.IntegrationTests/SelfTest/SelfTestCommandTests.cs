using System.CommandLine;
using System.Text.Json;
using Portico.SelfTest;
using Xunit;

namespace Portico.IntegrationTests.SelfTest;

public sealed class SelfTestCommandTests
{
    [Fact]
    public async Task With_json_it_prints_one_object_and_its_exit_code_says_the_same()
    {
        using var output = new StringWriter();

        var exit = await SelfTestCommand.Create().Parse("--json").InvokeAsync(new InvocationConfiguration { Output = output });

        using var json = JsonDocument.Parse(output.ToString());
        Assert.NotEqual(0, json.RootElement.GetProperty("passed").GetInt32());
        Assert.Equal(json.RootElement.GetProperty("failed").GetInt32() == 0 ? 0 : 1, exit);
    }

    [Fact]
    public async Task Without_options_it_prints_a_table()
    {
        using var output = new StringWriter();

        await SelfTestCommand.Create().Parse([]).InvokeAsync(new InvocationConfiguration { Output = output });

        Assert.StartsWith("check ", output.ToString(), StringComparison.Ordinal);
        Assert.Matches(@"\n\d+ passed, \d+ failed\s*$", output.ToString());
    }

    [Theory]
    [InlineData("0")]
    [InlineData("3601")]
    [InlineData("soon")]
    public void A_deadline_that_is_no_number_of_seconds_is_refused(string deadline) =>
        Assert.Contains(
            SelfTestCommand.Create().Parse(["--deadline", deadline]).Errors,
            error => error.Message.Contains("--deadline", StringComparison.Ordinal));
}
