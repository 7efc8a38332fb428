using System.Text.Json;
using System.Text.Json.Nodes;
using Portico.Core.Options;
using Portico.Core.Users;
using Xunit;

namespace Portico.Core.Tests.Options;

public sealed class UserTermsOptionsTests
{
    private const string Secret = "a1b2c3d4e5f60718293a4b5c6d7e8f90";

    private static readonly DateTimeOffset Now = new(2027, 1, 15, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("50 GiB", 50L << 30)]
    [InlineData("50GiB", 50L << 30)]
    [InlineData("1.5 mib", 3L << 19)]
    [InlineData("10 TiB", 10L << 40)]
    [InlineData("2 GB", 2_000_000_000)]
    [InlineData("10995116277760", 10L << 40)]
    [InlineData("0", 0)]
    [InlineData("9223372036854775807", long.MaxValue)]
    public void Bytes_are_a_number_with_or_without_a_unit(string text, long bytes)
    {
        Assert.True(new ByteSize(text).TryRead(out var read));
        Assert.Equal(bytes, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("GiB")]
    [InlineData("1 Gib/s")]
    [InlineData("1 e9")]
    [InlineData("1e9")]
    [InlineData("1,5 GiB")]
    [InlineData("9223372036854775808")]
    [InlineData("9 EiB")]
    [InlineData("8193 PiB")]
    [InlineData("1..5 GiB")]
    [InlineData("NaN")]
    public void Nothing_else_is(string text) => Assert.False(new ByteSize(text).TryRead(out _));

    [Fact]
    public void Everything_that_is_wrong_is_told_at_once_each_with_its_key()
    {
        var errors = Errors("""
            { "name": "alice", "secret": "a1b2c3d4e5f60718293a4b5c6d7e8f90", "expiresAt": "tomorrow", "maxConnections": 0,
              "maxNetworks": -1, "rate": { "down": "2 parsecs", "up": 10 }, "quota": { "period": "year", "resetDay": 32 },
              "group": "two\nlines", "note": "\u0007" }
            """);
        Assert.Equal(
            [
                "users[0].expiresAt", "users[0].group", "users[0].maxConnections", "users[0].maxNetworks", "users[0].note",
                "users[0].quota.bytes", "users[0].quota.period", "users[0].quota.resetDay", "users[0].rate.down", "users[0].rate.up",
            ],
            errors.Select(error => error.Key).Order());
    }

    [Theory]
    [InlineData("""{ "bytes": "50 GiB", "period": "week", "resetDay": 8 }""", "users[0].quota.resetDay")]
    [InlineData("""{ "bytes": 0 }""", "users[0].quota.bytes")]
    [InlineData("""{ "bytes": -5 }""", "users[0].quota.bytes")]
    [InlineData("""{ "bytes": 1.5e300 }""", "users[0].quota.bytes")]
    [InlineData("""{ "bytes": 99999999999999999999999999999999999999999999999999999999999999999999999 }""", "users[0].quota.bytes")]
    public void A_quota_that_means_nothing_is_refused(string quota, string key)
    {
        var error = Assert.Single(Errors($$"""{ "name": "alice", "secret": "{{Secret}}", "quota": {{quota}} }"""));
        Assert.Equal(key, error.Key);
    }

    [Fact]
    public void A_user_that_is_written_again_is_the_same_user()
    {
        var user = Parse($$"""
            { "name": "alice", "secret": "{{Secret}}", "previousSecret": "b1b2c3d4e5f60718293a4b5c6d7e8f91",
              "previousUntil": "2027-02-01T12:00:00+03:00", "adTag": "fedcba9876543210fedcba9876543210", "domain": "a.example.com",
              "enabled": false, "expiresAt": "2028-01-31T00:00:00Z", "maxConnections": 50, "maxNetworks": 3,
              "rate": { "down": "2 MiB", "up": 100000 }, "quota": { "bytes": "50 GiB", "period": "month", "resetDay": 31 },
              "group": "family", "note": "from the chess club" }
            """);
        var stored = ManagedUserParser.ToStored(user);
        var errors = new List<ConfigurationError>();
        var again = ManagedUserParser.Parse(
            [ManagedUserParser.FromStored(stored)!], [], _ => user, [], _ => throw new InvalidOperationException(), errors, Now);

        Assert.Empty(errors);
        Assert.Same(user, Assert.Single(again));
        Assert.DoesNotContain(Secret, stored.ToString(), StringComparison.Ordinal);
        Assert.Equal(50L << 30, user.Terms.Quota!.Bytes);
    }

    [Fact]
    public void A_user_without_terms_is_written_in_few_words_and_takes_no_memory_for_them()
    {
        var user = Parse($$"""{ "name": "alice", "secret": "{{Secret}}" }""");
        Assert.Same(UserTerms.Unlimited, user.Terms);
        Assert.True(JsonNode.DeepEquals(
            JsonNode.Parse($$"""{ "name": "alice", "secret": "{{Secret}}", "enabled": true }"""),
            JsonNode.Parse(ManagedUserParser.ToStored(user).Definition)));
    }

    [Fact]
    public void A_name_or_a_secret_of_the_file_is_refused_with_both_places()
    {
        var file = new[] { (new Credential("alice", Parse($$"""{ "name": "x", "secret": "{{Secret}}" }""").Secret), "the file") };
        var errors = new List<ConfigurationError>();
        var wanted = new UserOptions[]
        {
            new() { Name = "alice", Secret = "c1b2c3d4e5f60718293a4b5c6d7e8f92" },
            new() { Name = "bob", Secret = Secret },
        };
        ManagedUserParser.Parse(wanted, [], Nobody, file, Record, errors, Now);
        Assert.Equal(["users[0].name", "users[1].secret"], errors.Select(error => error.Key));
        Assert.All(errors, error => Assert.Contains("the file", error.Problem, StringComparison.Ordinal));
    }

    [Fact]
    public void A_set_in_another_order_is_the_same_set()
    {
        var wanted = Enumerable.Range(0, 100).Select(i => new UserOptions { Name = $"user-{i}", Secret = $"{i:x32}" }).ToList();
        var errors = new List<ConfigurationError>();
        var one = ManagedUserParser.Parse(wanted, [], Nobody, [], Record, errors, Now);
        wanted.Reverse();
        var other = ManagedUserParser.Parse(
            wanted, [], name => one.FirstOrDefault(user => user.Name == name), [], Record, errors, Now);
        Assert.Empty(errors);
        Assert.True(one.AsSpan().SequenceEqual(other.AsSpan()));
    }

    private static Credential? Nobody(string name) => null;

    private static List<ConfigurationError> Errors(string json)
    {
        var errors = new List<ConfigurationError>();
        ManagedUserParser.Parse([JsonSerializer.Deserialize(json, ManagedUserParser.TypeInfo)!], [], Nobody, [], Record, errors, Now);
        return errors;
    }

    private static Credential Parse(string json)
    {
        var errors = new List<ConfigurationError>();
        var users = ManagedUserParser.Parse(
            [JsonSerializer.Deserialize(json, ManagedUserParser.TypeInfo)!], [], Nobody, [], Record, errors, Now);
        Assert.Empty(errors);
        return Assert.Single(users);
    }

    private static UserRecord Record(string name) => new(new UsageLedger().Managed, name);
}
