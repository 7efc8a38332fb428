using System.Text.Json.Serialization;
using Portico.Core.Control;
using Portico.Core.Diagnostics;
using Portico.Core.Options;

namespace Portico.Admin.Json;

/// <summary>Everything that the interface answers and reads, made at build time: there is no reflection in the native binary.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true, GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(ProxyStatus))]
[JsonSerializable(typeof(SessionPage))]
[JsonSerializable(typeof(UserPage))]
[JsonSerializable(typeof(PolicyReport))]
[JsonSerializable(typeof(TablePage))]
[JsonSerializable(typeof(TableEdit))]
[JsonSerializable(typeof(ReloadOutcome))]
[JsonSerializable(typeof(UpgradeOutcome))]
[JsonSerializable(typeof(TelegramRefresh))]
[JsonSerializable(typeof(HealthAnswer))]
[JsonSerializable(typeof(ReadyAnswer))]
[JsonSerializable(typeof(SessionEnd))]
[JsonSerializable(typeof(LogLevelAnswer))]
[JsonSerializable(typeof(LostEvents))]
[JsonSerializable(typeof(UserChangeAnswer))]
[JsonSerializable(typeof(UserDetailList))]
[JsonSerializable(typeof(UserDisconnect))]
[JsonSerializable(typeof(UserExport))]
[JsonSerializable(typeof(UsageReport))]
[JsonSerializable(typeof(HistoryAnswer))]
[JsonSerializable(typeof(OverviewAnswer))]
[JsonSerializable(typeof(BrowserSession))]
internal sealed partial class AdminJson : JsonSerializerContext;

/// <summary>The same where what is null is left out.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(ProxyEvent))]
[JsonSerializable(typeof(ProblemDocument))]
internal sealed partial class SparseJson : JsonSerializerContext;

/// <summary>What is asked: a member that is not known is an error, since a misspelt one would be ignored.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(TableRequest))]
[JsonSerializable(typeof(LogLevelRequest))]
[JsonSerializable(typeof(UserSetRequest))]
[JsonSerializable(typeof(UserOptions))]
[JsonSerializable(typeof(RotateRequest))]
[JsonSerializable(typeof(TokenRequest))]
internal sealed partial class RequestJson : JsonSerializerContext;
