using Portico.Core.Options;
using Portico.Protocol.FakeTls;

namespace Portico.Core.Handshake;

/// <summary>
/// Makes the judges of one listener, one for each loop: the secrets are the same ones for all, and whose were right lately is known to
/// each from the one before it.
/// </summary>
/// <param name="listener">Whose clients are looked for.</param>
/// <param name="window">Which signing times are accepted.</param>
/// <param name="perSni">How secrets are derived for the domain of a hello; null = they are not.</param>
internal sealed class JudgeMaker(ListenerSettings listener, TimeWindow window, PerSniSettings? perSni = null)
{
    private readonly SecretTable _table = new(listener.Credentials);
    private int[]? _places;

    /// <summary>One more.</summary>
    /// <param name="former">The same loop's until now; all that are named have one table. null = there is none.</param>
    public Judge Create(Judge? former = null) => new(
        listener, window, perSni, _table,
        former is null
            ? new TrialHints(_table.Count)
            : new TrialHints(former.Hints, _table.Count, _places ??= former.Table.PlacesIn(_table)));
}
