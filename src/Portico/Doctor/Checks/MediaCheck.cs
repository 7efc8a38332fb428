using Portico.Core.Options;

namespace Portico.Doctor.Checks;

/// <summary>Names a symptom that cannot be measured from here: files that do not load in direct mode on some accounts.</summary>
internal sealed class MediaCheck(ProxySettings settings) : ICheck
{
    public string Name => "media";

    public Task<IReadOnlyList<Finding>> RunAsync(CancellationToken stop) => Task.FromResult<IReadOnlyList<Finding>>([Judge()]);

    private Finding Judge()
    {
        var users = settings.Listeners.SelectMany(listener => listener.Credentials);
        return settings.MediaGoesThroughMiddleProxy || users.All(settings.GoesThroughMiddleProxy)
            ? Diagnoses.MediaThrough.Found("photos and files go through middle proxies")
            : Diagnoses.MediaDirect.Found(
                "photos and files go to data centres directly",
                "if they do not load on accounts without Premium: backend.media \"middle\"");
    }
}
