using Portico.Core.Options;

namespace Portico.Doctor.Checks;

/// <summary>What the configuration itself warns of, and who can read the file. Its errors end the command before any check.</summary>
internal sealed class ConfigurationCheck(string path, IReadOnlyList<ConfigurationError> warnings, ConfigurationError? readable) : ICheck
{
    public string Name => "config";

    public Task<IReadOnlyList<Finding>> RunAsync(CancellationToken stop)
    {
        var findings = new List<Finding>();
        if (readable is not null)
        {
            findings.Add(Diagnoses.ConfigurationReadable.Found(
                $"every user of this machine can read the secrets in {path}", $"`chmod o-r {path}`"));
        }

        // Idle ad tags have a check of their own.
        foreach (var warning in warnings.Where(warning => !warning.Key.EndsWith(".adTag", StringComparison.Ordinal)))
            findings.Add(Diagnoses.ConfigurationUnwise.Found($"{warning}", $"change {warning.Key}, or leave it if that is meant"));
        if (findings.Count == 0)
            findings.Add(Diagnoses.ConfigurationRight.Found($"{path} has no errors and no warnings"));
        return Task.FromResult<IReadOnlyList<Finding>>(findings);
    }
}
