using System.Collections.Immutable;

namespace Portico.Core.Options;

/// <summary>Which listener of the settings before is which of those that follow. Pure.</summary>
internal static class ListenerPairs
{
    /// <summary>No listener of before.</summary>
    public const int None = -1;

    /// <summary>
    /// The positions before, one for each listener after: of the same name and address, else of the same address, else of the same name.
    /// A name alone is not enough: those that nobody gave are positions, which move when a listener in front of them goes.
    /// </summary>
    public static ImmutableArray<int> Of(ImmutableArray<ListenerSettings> before, ImmutableArray<ListenerSettings> after)
    {
        var pairs = Enumerable.Repeat(None, after.Length).ToArray();
        var left = Enumerable.Range(0, before.Length).ToList();
        Pair((one, other) => one.Name == other.Name && one.Address.Equals(other.Address));
        Pair((one, other) => one.Address.Equals(other.Address));
        Pair((one, other) => one.Name == other.Name);
        return [.. pairs];

        void Pair(Func<ListenerSettings, ListenerSettings, bool> isSame)
        {
            for (var i = 0; i < pairs.Length; i++)
            {
                if (pairs[i] != None) continue;
                var same = left.FindIndex(old => isSame(before[old], after[i]));
                if (same < 0) continue;
                pairs[i] = left[same];
                left.RemoveAt(same);
            }
        }
    }
}
