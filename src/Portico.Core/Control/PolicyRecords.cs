using System.Collections.Immutable;

namespace Portico.Core.Control;

/// <summary>The rules for clients that know a secret, with what they have counted.</summary>
/// <param name="Rules">In the order in which they are asked; the first that is not passed refuses.</param>
/// <param name="Tables">What rules look values up in.</param>
/// <param name="Answer">What would become of the client that was asked about; null = none was.</param>
public sealed record PolicyReport(ImmutableArray<PolicyRuleStatus> Rules, ImmutableArray<TableStatus> Tables, PolicyAnswer? Answer);

/// <summary>One rule.</summary>
/// <param name="Index">Position in the configuration, as in the metric.</param>
/// <param name="Rule">inTable, notInTable or maxConnections.</param>
/// <param name="Keys">What it looks at.</param>
/// <param name="Table">Where it looks values up; null = it counts.</param>
/// <param name="Limit">Clients at a time with the same values; null = it looks values up.</param>
/// <param name="Refused">Clients that it has refused.</param>
/// <param name="Tuples">How many different values of the keys have clients.</param>
/// <param name="Largest">Those with the most clients, those first; at most a hundred.</param>
public sealed record PolicyRuleStatus(
    int Index, string Rule, ImmutableArray<string> Keys, string? Table, int? Limit, long Refused, int Tuples,
    ImmutableArray<PolicyTupleStatus> Largest);

/// <summary>How many clients have these values.</summary>
/// <param name="Values">In the order of the rule's keys.</param>
/// <param name="Current">Clients that are there now.</param>
public sealed record PolicyTupleStatus(ImmutableArray<string> Values, int Current);

/// <summary>What would become of a client that came now.</summary>
/// <param name="Allowed">Every rule lets it pass.</param>
/// <param name="RefusedBy">Position of the first rule that does not; null = all do.</param>
/// <param name="Rules">What each rule says of it.</param>
public sealed record PolicyAnswer(bool Allowed, int? RefusedBy, ImmutableArray<PolicyAnswerRule> Rules);

/// <summary>What one rule says of a client.</summary>
/// <param name="Index">Position in the configuration.</param>
/// <param name="Rule">inTable, notInTable or maxConnections.</param>
/// <param name="Passes">Whether the client passes.</param>
/// <param name="Values">What the rule goes by, in the order of its keys; null = the client has no such thing, and passes.</param>
/// <param name="Current">Clients with these values, of a rule that counts.</param>
/// <param name="Limit">The most there may be, of a rule that counts.</param>
public sealed record PolicyAnswerRule(
    int Index, string Rule, bool Passes, ImmutableArray<string>? Values, int? Current, int? Limit);

/// <summary>A table at one moment.</summary>
/// <param name="Name">As rules call it.</param>
/// <param name="Key">What its values are.</param>
/// <param name="Size">Values in it.</param>
/// <param name="Added">Of them, those that the configuration does not have.</param>
/// <param name="Removed">Values of the configuration that are not in it.</param>
public sealed record TableStatus(string Name, string Key, int Size, int Added, int Removed);

/// <summary>Some of what a table holds.</summary>
/// <param name="Table">The table.</param>
/// <param name="Values">Of this page, in order.</param>
/// <param name="Next">Where the next page begins; null = this is the last.</param>
public sealed record TablePage(TableStatus Table, ImmutableArray<string> Values, string? Next);

/// <summary>What became of a change to a table.</summary>
/// <param name="Changed">Values that came or went; those that were there, or were not, do not count.</param>
/// <param name="Size">Values in it now.</param>
/// <param name="NotKept">Why the change is forgotten at the next start; null = it is kept.</param>
public sealed record TableEdit(int Changed, int Size, string? NotKept);
