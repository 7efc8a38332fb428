using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Portico.Core.Options;
using Xunit;

namespace Portico.Core.Tests.Options;

public class ReloadPlanTests
{
    private const string Secret = "0123456789abcdef0123456789abcde0", OtherSecret = "0123456789abcdef0123456789abcde1";

    [Fact]
    public void Options_that_are_the_same_change_nothing()
    {
        var plan = ReloadPlan.Of(Running(), Running());
        Assert.Empty(plan.Changes);
        Assert.False(plan.NeedsRestart);
    }

    [Fact]
    public void Each_changed_key_is_named_with_the_time_from_which_it_counts()
    {
        var plan = ReloadPlan.Of(Running(), Running(it =>
        {
            it.Timeouts.IdleSeconds = 7;
            it.Engine = "sockets";
            it.Listeners[0].Users[1].Secret = Secret;
            it.Cover.Mode = "sni";
        }));

        Assert.Equal<OptionChange>(
            [
                new("listeners[0].users[1].secret", TakesEffect.Live), new("cover.mode", TakesEffect.NewSessions),
                new("timeouts.idleSeconds", TakesEffect.NewSessions), new("engine", TakesEffect.Restart),
            ],
            plan.Changes);
        Assert.True(plan.NeedsRestart);
    }

    [Fact]
    public void What_needs_a_restart_stays_as_it_runs_and_the_rest_is_as_wanted()
    {
        var plan = ReloadPlan.Of(Running(), Running(it => (it.Engine, it.Loops, it.Timeouts.IdleSeconds) = ("sockets", 5, 7)));
        Assert.Equal(("auto", 0, 7), (plan.Effective.Engine, plan.Effective.Loops, plan.Effective.Timeouts.IdleSeconds));
    }

    [Fact]
    public void A_key_that_was_left_away_is_its_default_again()
    {
        var plan = ReloadPlan.Of(Running(it => it.Timeouts.IdleSeconds = 7), Running());
        Assert.Equal<OptionChange>([new("timeouts.idleSeconds", TakesEffect.NewSessions)], plan.Changes);
        Assert.Equal(new TimeoutOptions().IdleSeconds, plan.Effective.Timeouts.IdleSeconds);
    }

    [Fact]
    public void Users_in_another_order_are_no_change()
    {
        var plan = ReloadPlan.Of(Running(), Running(it => Array.Reverse(it.Listeners[0].Users)));
        Assert.Empty(plan.Changes);
    }

    [Fact]
    public void Entries_that_come_and_go_are_told_as_a_whole()
    {
        var plan = ReloadPlan.Of(Running(), Running(it => it.Listeners[0].Users = [new() { Name = "carol", Secret = Secret }]));
        Assert.Equal(
            ["listeners[0].users[0]", "listeners[0].users[0] (removed)", "listeners[0].users[1] (removed)"],
            plan.Changes.Select(change => change.Key));
    }

    /// <summary>The tag decides, for every key that there is: changed by itself it is told, and kept back if it needs a restart.</summary>
    [Fact]
    public void Every_key_says_when_it_counts_and_the_plan_goes_by_that()
    {
        string[] known = [TakesEffect.Live, TakesEffect.NewSessions, TakesEffect.Restart, TakesEffect.Nothing];
        var seen = new HashSet<string>();
        foreach (var (path, option) in Leaves(ProxyOptions.TypeInfo, []))
        {
            Assert.Contains(option.TakesEffect, known);
            var wanted = JsonSerializer.SerializeToNode(Running(), ProxyOptions.TypeInfo)!;
            Change(wanted, path);
            var options = wanted.Deserialize(ProxyOptions.TypeInfo)!;
            var plan = ReloadPlan.Of(Running(), options);

            var change = Assert.Single(plan.Changes);
            Assert.Equal((string.Join('.', path), option.TakesEffect), (change.Key, change.TakesEffect));
            var expected = option.TakesEffect == TakesEffect.Restart ? Running() : options;
            Assert.Equal(Text(expected), Text(plan.Effective));
            seen.Add(option.TakesEffect);
        }

        Assert.Equal(known.Length, seen.Count);
    }

    private static string Text(ProxyOptions options) => JsonSerializer.Serialize(options, ProxyOptions.TypeInfo);

    private static IEnumerable<(string[] Path, OptionAttribute Option)> Leaves(JsonTypeInfo type, string[] path)
    {
        foreach (var property in type.Properties)
        {
            if (OptionAttribute.Of(property) is not { } option) continue;
            string[] key = [.. path, property.Name];
            var inner = property.Options.GetTypeInfo(property.PropertyType);
            var isSection = inner.Kind == JsonTypeInfoKind.Object;
            if (property.Name is "listeners" or "policy")
                continue; // lists of sections: looked at one by one above
            if (!isSection) yield return (key, option);
            else foreach (var leaf in Leaves(inner, key)) yield return leaf;
        }
    }

    // To another value of its kind.
    private static void Change(JsonNode root, string[] path)
    {
        var owner = path[..^1].Aggregate(root, (node, name) => node[name]!);
        owner[path[^1]] = owner[path[^1]] switch
        {
            JsonValue value when value.TryGetValue<bool>(out var flag) => !flag,
            JsonValue value when value.TryGetValue<int>(out var number) => number + 1,
            JsonValue => "other",
            JsonArray => new JsonArray("other"),
            JsonObject => new JsonObject { ["3"] = new JsonArray("192.0.2.3:443") },
            _ => OfNothing(path[^1]),
        };
    }

    private static JsonNode OfNothing(string key) =>
        key is "bytesTotal" or "packetsTotal" or "bytesPerClient" or "packetsPerClient" or "maxAgeMinutes" ? 4711 : "other";

    private static ProxyOptions Running(Action<ProxyOptions>? change = null)
    {
        var options = new ProxyOptions
        {
            Listeners =
            [
                new()
                {
                    Name = "main",
                    Domain = "www.example.com",
                    Users = [new() { Name = "alice", Secret = Secret }, new() { Name = "bob", Secret = OtherSecret }],
                },
            ],
        };
        change?.Invoke(options);
        return options;
    }
}
