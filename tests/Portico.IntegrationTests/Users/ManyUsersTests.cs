using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using Portico.IntegrationTests.Commands;
using Portico.IntegrationTests.Hostile;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Xunit;

namespace Portico.IntegrationTests.Users;

/// <summary>A panel's whole set of ten thousand users beside five thousand sessions of them.</summary>
[Collection(nameof(Siege))]
[Trait(Suite.Trait, Suite.Minutes)]
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
public sealed class ManyUsersTests
{
    private const int Users = 10_000, Sessions = 5_000, Removed = 30, Rekeyed = 30, Noted = 40;

    [Fact]
    public async Task Sessions_of_removed_and_rekeyed_users_end_and_no_others()
    {
        await using var stage = new UserStage();
        await stage.StartAsync();
        var users = new JsonArray([.. Enumerable.Range(0, Users).Select(i => Written(i, SecretOf(i)))]);
        Assert.Equal(Users, ((await PutAsync(stage, users)).Answer["added"]!).AsArray().Count);
        var clients = new FakeClient[Sessions];
        await Parallel.ForAsync(0, Sessions, new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (i, _) =>
        {
            clients[i] = await stage.GreetAsync(SecretOf(i), DomainOf(i));
            await clients[i].EchoAsync(100);
        });

        // Another order is no change.
        var shuffled = new JsonArray([.. users.Reverse().Select(it => it!.DeepClone())]);
        var same = (await PutAsync(stage, shuffled)).Answer;
        Assert.Equal("unchanged", (string)same["outcome"]!);
        var revision = (long)same["revision"]!;

        // One bad entry, and nothing is changed.
        var bad = (JsonArray)users.DeepClone();
        bad.Add(new JsonObject { ["name"] = "one-more", ["secret"] = $"{Users:x32}", ["adTag"] = "nonsense" });
        var (status, refused) = await stage.PutAsync(bad);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        Assert.Contains($"users[{Users}].adTag", refused.ToJsonString(), StringComparison.Ordinal);

        // A hundred changed.
        var changed = (JsonArray)users.DeepClone();
        for (var i = 0; i < Rekeyed; i++) changed[i]!["secret"] = $"{Users + 1 + i:x32}";
        for (var i = Rekeyed; i < Rekeyed + Noted; i++) changed[i]!["note"] = "paid until May";
        for (var i = 0; i < Removed; i++) changed.RemoveAt(Rekeyed + Noted);
        var clock = Stopwatch.StartNew();
        var (put, took) = await PutAsync(stage, changed);
        await Task.WhenAll(Enumerable.Range(0, Sessions).Where(HasEnd).Select(i => clients[i].UntilEndAsync(TimeSpan.FromSeconds(10))));
        var ended = clock.Elapsed;

        Assert.Equal(
            (revision + 1, Rekeyed + Noted, Removed),
            ((long)put["revision"]!, put["changed"]!.AsArray().Count, put["removed"]!.AsArray().Count));
        Assert.InRange(took, TimeSpan.Zero, TimeSpan.FromSeconds(1));
        Assert.InRange(ended, TimeSpan.Zero, took + TimeSpan.FromSeconds(1));
        await Parallel.ForAsync(0, Sessions, new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (i, _) =>
        {
            if (!HasEnd(i)) await clients[i].EchoAsync(100);
            await clients[i].DisposeAsync();
        });
    }

    private static bool HasEnd(int user) => user is < Rekeyed or (>= Rekeyed + Noted and < Rekeyed + Noted + Removed);

    private static async Task<(JsonNode Answer, TimeSpan Took)> PutAsync(UserStage stage, JsonArray users)
    {
        var clock = Stopwatch.StartNew();
        var (status, answer) = await stage.PutAsync(users);
        Assert.Equal(HttpStatusCode.OK, status);
        return (answer, clock.Elapsed);
    }

    private static string DomainOf(int user) => $"u{user}.example.com";

    private static ProxySecret SecretOf(int user) => ProxySecret.Create(Convert.FromHexString($"{user:x32}"));

    private static JsonObject Written(int user, ProxySecret secret) => new()
    {
        ["name"] = $"user-{user}",
        ["secret"] = Convert.ToHexStringLower(secret.Key),
        ["domain"] = DomainOf(user),
        ["maxNetworks"] = 3,
        ["quota"] = new JsonObject { ["bytes"] = "50 GiB", ["period"] = "month" },
    };
}
