using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Portico.Core.Users;

namespace Portico.Core.Options;

/// <summary>Managed users, from what was written of them and back to it. The rules are those of users in the configuration file.</summary>
internal static class ManagedUserParser
{
    // Who has made more of them is helped by no more, and each takes memory.
    private const int MostErrors = 1000;

    /// <summary>What one user is written as.</summary>
    public static JsonTypeInfo<UserOptions> TypeInfo => ProxyOptionsJson.Default.UserOptions;

    /// <summary>Reads users, and makes a set of them and of those that stay.</summary>
    /// <param name="wanted">As written; its order has no meaning.</param>
    /// <param name="kept">Those that stay as they are, and are not read again: there may be very many.</param>
    /// <param name="known">The user of a name until now: those who stay as they are are the same objects.</param>
    /// <param name="file">Users of the configuration file, with the place where each stands.</param>
    /// <param name="recordOf">What is counted of a user who was not there before.</param>
    /// <param name="errors">What is wrong is added here.</param>
    /// <param name="now">Our clock.</param>
    /// <returns>By name; without those that an error was added for.</returns>
    public static ImmutableArray<Credential> Parse(
        IReadOnlyList<UserOptions> wanted, ImmutableArray<Credential> kept, Func<string, Credential?> known,
        IEnumerable<(Credential User, string Place)> file,
        Func<string, UserRecord> recordOf, List<ConfigurationError> errors, DateTimeOffset now)
    {
        // A former secret whose time is over goes with any change, and is in nobody's way.
        var staying = kept.Select(user => user.Former?.Until <= now ? user with { Former = null } : user);
        var others = file.Concat(staying.SelectMany(user =>
            user.AllWith(null).Select(credential => (credential, $"the managed user {user.Name}"))));
        var reader = new ManagedUserReader(others, name => known(name)?.Shared ?? recordOf(name), now);
        var users = ImmutableArray.CreateBuilder<Credential>(wanted.Count + kept.Length);
        users.AddRange(staying);
        for (var i = 0; i < wanted.Count; i++)
        {
            if (errors.Count >= MostErrors)
            {
                errors.Add(new($"users[{i}]", "this one and those behind it were not read, after so many errors"));
                break;
            }

            if (reader.Read(wanted[i], $"users[{i}]", errors) is not { } user) continue;
            users.Add(known(user.Name) is { } old && user == old ? old : user);
        }

        users.Sort(static (one, other) => string.CompareOrdinal(one.Name, other.Name));
        return users.DrainToImmutable();
    }

    /// <summary>A user as it would be written.</summary>
    public static UserOptions ToOptions(Credential user)
    {
        var terms = user.Terms;
        return new UserOptions
        {
            Name = user.Name,
            Secret = Convert.ToHexStringLower(user.Secret.Key),
            PreviousSecret = user.Former is { } former ? Convert.ToHexStringLower(former.Secret.Key) : null,
            PreviousUntil = user.Former?.Until is { } until ? Written(until) : null,
            AdTag = user.AdTag is { } tag ? Convert.ToHexStringLower(tag.Bytes) : null,
            Domain = user.Domain,
            Enabled = terms.IsEnabled,
            ExpiresAt = terms.ExpiresAt is { } end ? Written(end) : null,
            MaxConnections = terms.MaxConnections,
            MaxNetworks = terms.MaxNetworks,
            Rate = new RateOptions { Down = Size(terms.DownRate), Up = Size(terms.UpRate) },
            Quota = terms.Quota is { } quota
                ? new QuotaOptions { Bytes = ByteSize.Of(quota.Bytes), Period = NameOf(quota.Period), ResetDay = quota.ResetDay }
                : null,
            Group = terms.Group,
            Note = terms.Note,
        };
    }

    /// <summary>As a store keeps it: what is not there is left out.</summary>
    public static StoredUser ToStored(Credential user)
    {
        var written = JsonSerializer.SerializeToNode(ToOptions(user), TypeInfo)!.AsObject();
        LeaveOutNulls(written);
        return new StoredUser(user.Name, written.ToJsonString());
    }

    /// <summary>The other way; null = it is nothing that could be read.</summary>
    public static UserOptions? FromStored(StoredUser user)
    {
        try
        {
            return JsonSerializer.Deserialize(user.Definition, TypeInfo);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The word of a period.</summary>
    public static string NameOf(QuotaPeriod period) => period switch
    {
        QuotaPeriod.None => "none",
        QuotaPeriod.Day => "day",
        QuotaPeriod.Week => "week",
        _ => "month",
    };

    /// <summary>A moment as it is written: to the second, or a user that is written and read again would be another.</summary>
    public static string Written(DateTimeOffset moment) =>
        moment.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static ByteSize? Size(long? bytes) => bytes is { } number ? ByteSize.Of(number) : null;

    private static void LeaveOutNulls(JsonObject section)
    {
        foreach (var (key, value) in section.ToArray())
        {
            if (value is JsonObject inner) LeaveOutNulls(inner);
            if (value is null or JsonObject { Count: 0 }) section.Remove(key);
        }
    }
}
