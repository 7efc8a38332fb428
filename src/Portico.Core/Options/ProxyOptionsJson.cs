using System.Text.Json.Serialization;

namespace Portico.Core.Options;

/// <summary>Metadata of the options, generated at build time so that trimming and ahead-of-time compilation keep working.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true,
    WriteIndented = true, GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(ProxyOptions))]
[JsonSerializable(typeof(UserOptions))]
internal sealed partial class ProxyOptionsJson : JsonSerializerContext;
