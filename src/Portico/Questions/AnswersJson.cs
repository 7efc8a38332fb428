using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Portico.Core.Control;

namespace Portico.Questions;

/// <summary>What the commands read of the proxy's answers. Members that they do not know are left out: it may be a later version.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, GenerationMode = JsonSourceGenerationMode.Metadata,
    WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.Never)]
[JsonSerializable(typeof(ProxyStatus))]
[JsonSerializable(typeof(SessionPage))]
[JsonSerializable(typeof(UserPage))]
[JsonSerializable(typeof(ReloadOutcome))]
[JsonSerializable(typeof(UpgradeOutcome))]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(SessionList))]
[JsonSerializable(typeof(UserList))]
internal sealed partial class AnswersJson : JsonSerializerContext;

/// <summary>An error (RFC 9457).</summary>
/// <param name="Detail">What is wrong, and what to do.</param>
/// <param name="Errors">Of a configuration that was refused.</param>
internal sealed record Problem(string? Detail, ImmutableArray<ReloadProblem>? Errors);

/// <summary>All pages of sessions together.</summary>
internal sealed record SessionList(IReadOnlyList<SessionStatus> Sessions);

/// <summary>All pages of users together.</summary>
internal sealed record UserList(IReadOnlyList<UserStatus> Users);
