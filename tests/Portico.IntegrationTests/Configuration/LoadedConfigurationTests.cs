using Portico.Configuration;
using Xunit;

namespace Portico.IntegrationTests.Configuration;

public class LoadedConfigurationTests
{
    private const string Secret = "a1b2c3d4e5f60718293a4b5c6d7e8f90";

    private const string Valid = $$"""
        // Comments are allowed,
        { "$schema": "x",
          "listeners": [ { "secret": "{{Secret}}", "domain": "www.example.com", /* everywhere, */ }, ], } // and trailing commas
        """;

    [Theory]
    [InlineData("")]
    [InlineData(" \n")]
    public void An_empty_file_is_called_empty(string text) =>
        Assert.StartsWith(
            "the file is empty; ", Assert.Single(LoadedConfiguration.Load(text, ".", []).Errors).Problem, StringComparison.Ordinal);

    [Theory]
    [InlineData("00000000000000000000000000000000", true)]
    [InlineData("abABabABabABabABabABabABabABabAB", true)]
    [InlineData(Secret, false)]
    public void A_secret_that_can_be_guessed_is_warned_of(string secret, bool isWarned)
    {
        var loaded = Load($$"""{ "listeners": [{ "secret": "{{secret}}", "domain": "www.example.com" }] }""");

        Assert.Empty(loaded.Errors);
        Assert.Equal(isWarned, loaded.Warnings.Any(
            warning => warning.Key == "listeners[0].secret" && warning.Problem.StartsWith("can be guessed", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_public_host_that_is_nearly_an_address_is_an_error() => AssertError(
        $$"""{ "listeners": [{ "secret": "{{Secret}}", "domain": "www.example.com", "publicHost": "192.168.1.300" }] }""",
        "listeners[0].publicHost", "looks like an IPv4 address");

    [Fact]
    public void Addresses_that_cannot_be_read_are_one_error_and_the_default_is_not_blamed()
    {
        var loaded = Load($$"""{ "listeners": [{ "secret": "{{Secret}}", "domain": "www.example.com" }], "backend": """
            + $$"""{ "direct": { "endpoints": { "2": ["149.154.167.51"] } } } }""");

        Assert.Equal(["backend.direct.endpoints.2[0]"], loaded.Errors.Select(error => error.Key));
    }

    [Fact]
    public void Comments_and_trailing_commas_are_allowed() => Assert.NotNull(Load(Valid).Settings);

    [Theory]
    [InlineData("""{ "Listeners": [] }""", "Listeners", "did you mean \"listeners\"?")]
    [InlineData("""{ "guests": {} }""", "guests",
        "known here: listeners, backend, localAddresses, cover, fakeTls, replay, policy, tables, limits, resetOnClose, health, timeouts, "
            + "admin, telemetry, alerts, timeZone, dataDirectory, engine, loops")]
    [InlineData("""{ "timeouts": { "idleSecond": 1 } }""", "timeouts.idleSecond", "did you mean \"idleSeconds\"?")]
    [InlineData("""{ "backend": { "direct": { "endpoint": {} } } }""", "backend.direct.endpoint", "did you mean \"endpoints\"?")]
    [InlineData("""{ "listeners": [{ "policy": null }] }""", "listeners[0].policy", "known here: name, address")]
    [InlineData("""{ "listeners": [{ "users": [{ "secrets": "" }] }] }""", "listeners[0].users[0].secrets", "did you mean \"secret\"?")]
    public void Unknown_keys_are_errors_that_name_what_was_meant(string text, string key, string says) => AssertError(text, key, says);

    [Theory]
    [InlineData("""{ "loops": "2" }""", "loops", "a whole number, not text; for example \"loops\": 0")]
    [InlineData("""{ "loops": 1.5 }""", "loops", "must be a whole number of at most 2147483647; for example \"loops\": 0")]
    [InlineData("""{ "loops": 3000000000 }""", "loops", "must be a whole number of at most 2147483647; ")]
    [InlineData("""{ "loops": null }""", "loops", "a whole number, not null")]
    [InlineData("""{ "engine": true }""", "engine", "text in quotes, not true or false; for example \"engine\": \"auto\"")]
    [InlineData("""{ "timeouts": [] }""", "timeouts", "a section in braces, not a list")]
    [InlineData("""{ "timeouts": null }""", "timeouts", "a section in braces, not null")]
    [InlineData("""{ "listeners": {} }""", "listeners", "a list in brackets, not a section")]
    [InlineData("""{ "listeners": [8443] }""", "listeners[0]", "a section in braces, not a number")]
    [InlineData("""{ "listeners": [{ "protocols": "fake-tls" }] }""", "listeners[0].protocols",
        "a list in brackets, not text; for example \"protocols\": [\"fake-tls\"]")]
    [InlineData("""{ "listeners": [{ "protocols": [1] }] }""", "listeners[0].protocols[0]", "text in quotes, not a number")]
    [InlineData("""{ "listeners": [{ "protocols": [null] }] }""", "listeners[0].protocols[0]", "text in quotes, not null")]
    [InlineData("""{ "listeners": [{ "publicPort": "443" }] }""", "listeners[0].publicPort",
        "a whole number, not text; for example \"publicPort\": 443")]
    [InlineData("""{ "backend": { "preferIPv6": "yes" } }""", "backend.preferIPv6", "true or false, not text")]
    [InlineData("""{ "backend": { "direct": { "endpoints": { "2": "127.0.0.1:1" } } } }""", "backend.direct.endpoints.2",
        "a list in brackets, not text")]
    [InlineData("""{ "backend": { "direct": { "endpoints": { "2": [2] } } } }""", "backend.direct.endpoints.2[0]",
        "text in quotes, not a number")]
    public void Wrong_types_are_errors_with_an_example(string text, string key, string says) => AssertError(text, key, says);

    [Fact]
    public void A_value_that_was_refused_for_its_type_is_not_reported_as_missing_too()
    {
        var errors = Load("""{ "listeners": [{ "secret": 7, "domain": 7 }] }""").Errors;

        Assert.Equal(["listeners[0].domain", "listeners[0].secret"], errors.Select(error => error.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_misspelt_key_is_not_reported_as_missing_too()
    {
        var error = Assert.Single(Load($$"""{ "listeners": [{ "sekret": "{{Secret}}", "domain": "www.example.com" }] }""").Errors);

        Assert.Equal("listeners[0].sekret", error.Key);
    }

    [Fact]
    public void A_key_that_stands_twice_is_an_error() => AssertError("""{ "loops": 1, "loops": 2 }""", "loops", "written twice");

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{ \"listeners\": [ { \"secret\": fa1b2c3d4e5f60718293a4b5c6d7e8f90 } ] }")]
    [InlineData("{ \"listeners\": [ { \"secret\": \"a1b2c3d4e5f60718293a4b5c6d7e8f90 } ] }")]
    [InlineData("{ \"listeners\": [ { a1b2c3d4e5f60718293a4b5c6d7e8f90 } ] }")]
    public void What_is_no_json_object_is_one_error_that_does_not_quote_it(string text)
    {
        var loaded = Load(text);

        Assert.Null(loaded.Settings);
        var error = Assert.Single(loaded.Errors);
        Assert.Equal("", error.Key);
        Assert.DoesNotContain("a1b2c3", error.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_secret_in_a_wrong_place_does_not_come_back_in_any_error()
    {
        var errors = Load($$"""
            { "{{Secret}}": 1,
              "listeners": [{ "secret": ["{{Secret}}"], "users": ["{{Secret}}", { "{{Secret}}": "alice" }], "domain": "ee{{Secret}}" }],
              "engine": "{{Secret}}" }
            """).Errors;

        Assert.True(errors.Count >= 5);
        Assert.All(errors, error => Assert.DoesNotContain(Secret, error.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public void The_environment_replaces_the_file_and_flags_replace_both()
    {
        var loaded = Load(
            Valid,
            new(["timeouts", "idleSeconds"], "30", "PORTICO__timeouts__idleSeconds"),
            new(["Listeners", "0", "PORT"], "1000", "PORTICO__Listeners__0__PORT"),
            new(["listeners", "0", "port"], "2000", "--port"));

        Assert.Equal(30, loaded.Options.Timeouts.IdleSeconds);
        Assert.Equal(2000, loaded.Options.Listeners[0].Port);
        Assert.Equal(Secret, loaded.Options.Listeners[0].Secret);
    }

    [Fact]
    public void A_whole_configuration_can_come_from_the_environment()
    {
        var variables = new Dictionary<string, string?>
        {
            ["PORTICO__listeners__0__secret"] = Secret,
            ["PORTICO__listeners__0__domain"] = "www.example.com",
            ["PORTICO__listeners__0__protocols"] = "secure, fake-tls",
            ["PORTICO__listeners__1__port"] = "9000",
            ["PORTICO__listeners__1__protocols__0"] = "classic",
            ["PORTICO__listeners__1__users__0__name"] = "alice",
            ["PORTICO__listeners__1__users__0__secret"] = Secret,
            ["PORTICO__backend__preferIPv6"] = "True",
            ["PORTICO__backend__direct__endpoints__-2"] = "127.0.0.1:1,127.0.0.1:2",
            ["PORTICO__engine"] = "", // set to nothing is not set
            ["PORTICO_CONFIG"] = "no option",
            ["OTHER__listeners__0__port"] = "1",
        };

        var loaded = Load("{}", [.. Override.From(variables)]);

        Assert.Empty(loaded.Errors);
        Assert.Equal(["secure", "fake-tls"], loaded.Options.Listeners[0].Protocols);
        Assert.Equal(9000, loaded.Options.Listeners[1].Port);
        Assert.Equal(["classic"], loaded.Options.Listeners[1].Protocols);
        Assert.Equal("alice", loaded.Options.Listeners[1].Users[0].Name);
        Assert.True(loaded.Options.Backend.PreferIPv6);
        Assert.Equal(["127.0.0.1:1", "127.0.0.1:2"], loaded.Options.Backend.Direct.Endpoints["-2"]);
        Assert.Equal("auto", loaded.Options.Engine);
    }

    [Fact]
    public void Positions_are_counted_not_spelt()
    {
        var variables = Enumerable.Range(0, 12)
            .ToDictionary(i => $"PORTICO__listeners__0__protocols__{i}", string? (i) => i == 11 ? "classic" : "secure");

        Assert.Equal("classic", Load("{}", [.. Override.From(variables)]).Options.Listeners[0].Protocols[11]);
    }

    [Theory]
    [InlineData("PORTICO__timeout__idleSeconds", "1", "did you mean PORTICO__timeouts?")]
    [InlineData("PORTICO__timeouts__idle", "1", "unknown key; known here: handshakeSeconds")]
    [InlineData("PORTICO__timeouts__idleSeconds", "soon", "timeouts.idleSeconds must be a whole number")]
    [InlineData("PORTICO__timeouts__idleSeconds__x", "1", "timeouts.idleSeconds is a whole number")]
    [InlineData("PORTICO__timeouts", "1", "set what is inside it")]
    [InlineData("PORTICO__listeners__2__port", "1", "leaves a gap: the next one in listeners is 1")]
    [InlineData("PORTICO__listeners__first__port", "1", "listeners is a list in brackets")]
    [InlineData("PORTICO__backend__preferIPv6", "yes", "backend.preferIPv6 must be true or false")]
    public void A_variable_that_cannot_be_used_is_an_error_under_its_own_name(string name, string value, string says)
    {
        var variables = new Dictionary<string, string?> { [name] = value };

        var error = Assert.Single(Load(Valid, [.. Override.From(variables)]).Errors);

        Assert.StartsWith("PORTICO__", error.Key, StringComparison.Ordinal);
        Assert.Contains(says, error.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void An_error_about_a_value_names_the_variable_or_flag_that_set_it()
    {
        var errors = Load(Valid, new(["loops"], "-1", "PORTICO__loops"), new(["listeners", "0", "protocols"], "tls", "--protocol")).Errors;

        Assert.Contains(
            errors, error => error.Key == "loops" && error.Problem.EndsWith("(set by PORTICO__loops)", StringComparison.Ordinal));
        Assert.Contains(errors, error =>
            error.Key == "listeners[0].protocols[0]" && error.Problem.EndsWith("(set by --protocol)", StringComparison.Ordinal));
    }

    [Fact]
    public void Relative_paths_start_at_the_file() => Assert.Equal("/somewhere/data", Load(Valid).Settings!.DataDirectory);

    private static LoadedConfiguration Load(string text, params Override[] overrides) =>
        LoadedConfiguration.Load(text, "/somewhere", overrides);

    private static void AssertError(string text, string key, string says)
    {
        var error = Assert.Single(Load(text).Errors, error => error.Key == key);
        Assert.Contains(says, error.Problem, StringComparison.Ordinal);
    }
}
