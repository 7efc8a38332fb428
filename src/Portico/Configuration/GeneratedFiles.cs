using Portico.Admin;
using Portico.Import;

namespace Portico.Configuration;

/// <summary>What docs/ says of options and endpoints: made from them, so that it cannot disagree.</summary>
internal static class GeneratedFiles
{
    /// <summary>File names and texts, as they stand in docs/.</summary>
    public static IEnumerable<(string Name, string Text)> All() =>
    [
        ("configuration.md", ConfigurationPage.Text()),
        ("portico.schema.json", ConfigurationSchema.Text()),
        ("portico.sample.json", SampleConfiguration.Text()),
        ("openapi.json", AdminServer.OpenApi()),
        .. MigrationPage.All(),
    ];
}
