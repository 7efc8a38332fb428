namespace Portico.Alerts;

/// <summary>What alerts tell of: a closed set, which scripts of operators rely on.</summary>
internal static class AlertKinds
{
    // States: told when they begin and when they are over.
    public const string DcDown = "dc_down", CoverDown = "cover_down", ClockWrong = "clock_wrong", BlockedSuspected = "blocked_suspected",
        NotReady = "not_ready", CertificateExpires = "certificate_expires";

    // Told once for each user and period.
    public const string Quota80 = "quota_80", Quota100 = "quota_100", ExpiresIn3d = "expires_in_3d";

    /// <summary>What the end of a state is told with.</summary>
    public static string TextOfEnd(string kind) => kind switch
    {
        DcDown => "Every data centre can be reached again; there is nothing to do.",
        CoverDown => "The cover site can be reached again; there is nothing to do.",
        ClockWrong => "No more clients are refused for their time; there is nothing to do.",
        BlockedSuspected => "Clients get through again; there is nothing to do.",
        NotReady => "The proxy is ready for new clients again; there is nothing to do.",
        CertificateExpires => "The certificates of all WEB hosts are good for two weeks or more; there is nothing to do.",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "is no state"),
    };

    /// <summary>What is told of users.</summary>
    /// <param name="kind">One of the three that are about users.</param>
    /// <param name="who">Names, for the sentence.</param>
    public static string TextOfUsers(string kind, string who) => kind switch
    {
        Quota80 => $"80 % of the quota are used by {who}: raise it with `portico user edit`, or let the user know.",
        Quota100 => $"The quota is used up and nobody is let in any more for {who}: raise it with `portico user edit`, or wait for the "
            + "next period.",
        ExpiresIn3d => $"In less than three days nobody will be let in any more for {who}: set a later end with `portico user edit`, or "
            + "let the user know.",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "is not about users"),
    };
}
