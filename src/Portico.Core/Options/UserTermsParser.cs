using Portico.Core.Users;

namespace Portico.Core.Options;

/// <summary>What a user may do, as it was written.</summary>
/// <param name="errors">What is wrong is added here.</param>
/// <remarks>Of perhaps a hundred thousand users most have none of it: no key is put together for what is not there.</remarks>
internal sealed class UserTermsParser(List<ConfigurationError> errors)
{
    private const int LongestGroup = 64, LongestNote = 1024, DaysOfWeek = 7;

    // A rate below this lets no picture through, and was hardly meant.
    private const long LeastRate = 1024;

    /// <summary>The same object for all users without terms: there may be very many.</summary>
    public UserTerms Read(UserOptions user, string path)
    {
        var terms = new UserTerms
        {
            IsEnabled = user.Enabled,
            ExpiresAt = Moment(user.ExpiresAt, path, "expiresAt"),
            MaxConnections = user.MaxConnections,
            MaxNetworks = user.MaxNetworks,
            DownRate = Rate(user.Rate.Down, path, "down"),
            UpRate = Rate(user.Rate.Up, path, "up"),
            Quota = Quota(user.Quota, path),
            Group = Text(user.Group, LongestGroup, path, "group"),
            Note = Text(user.Note, LongestNote, path, "note"),
        };
        return terms == UserTerms.Unlimited ? UserTerms.Unlimited : terms;
    }

    private DateTimeOffset? Moment(string? text, string path, string name)
    {
        if (text is null) return null;
        if (UserOptionsParser.TryMoment(text, out var moment)) return moment;
        errors.Add(new($"{path}.{name}", $"{ShownText.Quote(text)} is not a date with time and zone; "
            + $"for example \"{name}\": \"2027-01-31T00:00:00Z\""));
        return null;
    }

    private long? Rate(ByteSize? size, string path, string name)
    {
        if (size is null) return null;
        if (Bytes(size, $"{path}.rate.{name}", name, "2 MiB") is not { } rate) return null;
        if (rate >= LeastRate) return rate;
        errors.Add(new($"{path}.rate.{name}",
            $"{rate} bytes per second are too few for any app, at least {LeastRate}; for example \"{name}\": \"2 MiB\""));
        return null;
    }

    private UserQuota? Quota(QuotaOptions? quota, string path)
    {
        if (quota is null) return null;
        path += ".quota";
        if (quota.Bytes is null)
            errors.Add(new($"{path}.bytes", "is missing; for example \"bytes\": \"50 GiB\""));
        var period = quota.Period switch
        {
            "none" => QuotaPeriod.None,
            "day" => QuotaPeriod.Day,
            "week" => QuotaPeriod.Week,
            _ => QuotaPeriod.Month,
        };
        if (period == QuotaPeriod.Week && quota.ResetDay > DaysOfWeek)
            errors.Add(new($"{path}.resetDay", $"{quota.ResetDay} is no day of a week, 1 (Monday) to 7; for example \"resetDay\": 1"));
        if (Bytes(quota.Bytes, $"{path}.bytes", "bytes", "50 GiB") is not { } bytes) return null;
        if (bytes > 0) return new UserQuota(bytes, period, quota.ResetDay);
        errors.Add(new($"{path}.bytes", "must be 1 or more; \"enabled\": false keeps a user out"));
        return null;
    }

    private long? Bytes(ByteSize? size, string key, string name, string example)
    {
        if (size is not { } written) return null;
        if (written.TryRead(out var bytes)) return bytes;
        errors.Add(new(key, $"{ShownText.Quote(written.Text)} is no number of bytes, alone or with KiB, MiB, GiB, TiB, KB, MB, GB, TB; "
            + $"for example \"{name}\": \"{example}\""));
        return null;
    }

    private string? Text(string? text, int longest, string path, string name)
    {
        if (text is null) return null;
        if (text.Length <= longest && !text.Any(char.IsControl)) return text;
        errors.Add(new($"{path}.{name}", $"must be one line of at most {longest} characters"));
        return null;
    }
}
