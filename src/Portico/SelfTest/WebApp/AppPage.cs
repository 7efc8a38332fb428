namespace Portico.SelfTest.WebApp;

/// <summary>What an app without a browser reads out of the bridge page.</summary>
/// <param name="Bootstrap">A token for one session.</param>
/// <param name="CarrierMode">The carrier that such apps are to use.</param>
internal sealed record AppPage(string Bootstrap, string CarrierMode)
{
    /// <summary>Opens the page.</summary>
    /// <exception cref="CheckFailedException">Something else is there.</exception>
    public static async Task<AppPage> ReadAsync(AppHttp http, CancellationToken cancel)
    {
        var (status, html) = await http.ReadAsync(http.Door.BridgeUrl.PathAndQuery, cancel);
        return Find(html) ?? throw new CheckFailedException($"the bridge page is not there: the answer is {(int)status}, as to strangers");
    }

    /// <summary>The texts in a page; null if it is none of ours.</summary>
    public static AppPage? Find(string html) =>
        TextIn(html, "bootstrap=\"") is { } bootstrap && TextIn(html, "carrierMode=\"") is { } mode ? new AppPage(bootstrap, mode) : null;

    /// <summary>Without the token.</summary>
    public override string ToString() => CarrierMode;

    private static string? TextIn(string html, string start)
    {
        var from = html.IndexOf(start, StringComparison.Ordinal) + start.Length;
        if (from < start.Length) return null;
        var to = html.IndexOf('"', from);
        return to < 0 ? null : html[from..to];
    }
}
