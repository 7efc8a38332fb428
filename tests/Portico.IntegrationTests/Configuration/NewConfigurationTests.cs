using System.CommandLine;
using Portico.Commands;
using Portico.Configuration;
using Portico.Core.Options;
using Portico.IntegrationTests.Commands;
using Xunit;

namespace Portico.IntegrationTests.Configuration;

public class NewConfigurationTests
{
    [Fact]
    public void Its_text_is_a_valid_configuration_of_fake_tls_alone()
    {
        var fresh = new NewConfiguration();

        var loaded = LoadedConfiguration.Load(fresh.ToText(), ".", []);

        Assert.Empty(loaded.Errors);
        Assert.Empty(loaded.Warnings);
        var listener = Assert.Single(loaded.Settings!.Listeners);
        Assert.Equal(ClientProtocols.FakeTls, listener.Protocols);
        Assert.Equal(8443, listener.Address.Port);
        Assert.Equal(fresh.Secret, Assert.Single(listener.Credentials).Secret);
        Assert.NotEqual(new NewConfiguration().Secret, fresh.Secret);
    }

    [Fact]
    public void A_domain_is_the_site_that_strangers_see_and_without_one_they_see_none()
    {
        var named = LoadedConfiguration.Load(new NewConfiguration { Domain = "site.example.org" }.ToText(), ".", []);
        Assert.Empty(named.Errors);
        Assert.Empty(named.Warnings);
        Assert.Equal(
            (CoverMode.Fixed, CoverTarget.OfHost("site.example.org", 443)), (named.Settings!.Cover.Mode, named.Settings.Cover.Target));

        Assert.Equal(CoverMode.Off, LoadedConfiguration.Load(new NewConfiguration().ToText(), ".", []).Settings!.Cover.Mode);
    }

    [Theory]
    [InlineData("--ad-tag c1b2c3d4e5f60718293a4b5c6d7e8f92", BackendMode.Auto, true)]
    [InlineData("--ad-tag c1b2c3d4e5f60718293a4b5c6d7e8f92 --mode middle", BackendMode.Middle, true)]
    [InlineData("--mode middle", BackendMode.Middle, true)]
    [InlineData("", BackendMode.Direct, false)]
    public void An_ad_tag_is_written_down_with_a_mode_that_carries_it(string line, BackendMode mode, bool usesMiddleProxies)
    {
        var flags = new QuickFlags();
        var command = new Command("run");
        flags.AddTo(command);

        var loaded = LoadedConfiguration.Load(flags.NewConfiguration(command.Parse(line), withSecret: true).ToText(), ".", []);

        Assert.Empty(loaded.Errors);
        Assert.Empty(loaded.Warnings);
        Assert.Equal((mode, usesMiddleProxies), (loaded.Settings!.Mode, loaded.Settings.UsesMiddleProxies));
        Assert.Equal(line.Contains("--ad-tag", StringComparison.Ordinal), loaded.Settings.Listeners[0].Credentials[0].AdTag is not null);
    }

    [Fact]
    public void A_file_that_exists_stays_as_it_is()
    {
        using var directory = new TemporaryDirectory();
        var path = directory.Write("portico.json", "the operator's");

        Assert.False(NewConfiguration.TryWrite(path, "ours"));

        Assert.Equal("the operator's", File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFileSystemEntries(directory.Path));
    }

    [Fact]
    public void A_place_that_cannot_be_written_to_is_named_with_what_to_do()
    {
        using var directory = new TemporaryDirectory();
        var path = Path.Combine(directory.Write("file", ""), "portico.json");

        var failure = Assert.Throws<CommandFailure>(() => NewConfiguration.TryWrite(path, "ours"));

        Assert.Equal(ExitCode.Failed, failure.ExitCode);
        Assert.Contains(path, failure.Message, StringComparison.Ordinal);
        Assert.Contains("--config", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
    }
}
