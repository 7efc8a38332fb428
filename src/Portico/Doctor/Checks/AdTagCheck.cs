using Portico.Core.Options;

namespace Portico.Doctor.Checks;

/// <summary>Can ad tags have an effect?</summary>
internal sealed class AdTagCheck(ProxySettings settings) : ICheck
{
    public string Name => "adtag";

    public Task<IReadOnlyList<Finding>> RunAsync(CancellationToken stop) => Task.FromResult<IReadOnlyList<Finding>>([Judge()]);

    private Finding Judge()
    {
        var tagged = settings.Listeners.SelectMany(listener => listener.Credentials).Count(credential => credential.AdTag is not null);
        if (tagged == 0) return Diagnoses.AdTagNone.Found("none is set");
        var users = tagged == 1 ? "1 user has one" : $"{tagged} users have one";
        return settings.Mode == BackendMode.Direct
            ? Diagnoses.AdTagIdle.Found(
                $"{users}, and backend.mode is direct, where it has no effect: the channel is never shown",
                "set backend.mode to \"auto\": those users go through middle proxies then, which take ad tags")
            : Diagnoses.AdTagReady.Found(
                $"{users}, and goes through middle proxies; "
                    + "a channel that does not show is mostly one that the account has joined already");
    }
}
