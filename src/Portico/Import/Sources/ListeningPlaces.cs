namespace Portico.Import.Sources;

/// <summary>Where another proxy listens, as listeners of ours: "::" takes every address of a port, so beside it there is room for no
/// other.</summary>
internal static class ListeningPlaces
{
    private const string All = "::", AllOfV4 = "0.0.0.0";

    /// <summary>Those that are needed, each once.</summary>
    /// <param name="places">As the other proxy has them.</param>
    /// <param name="widened">Is told of an address that now all are in place of.</param>
    public static IEnumerable<(string Address, int Port)> Merge(
        IReadOnlyList<(string Address, int Port)> places, Action<string> widened)
    {
        foreach (var port in places.GroupBy(place => place.Port))
        {
            var addresses = port.Select(place => place.Address).Distinct().ToArray();
            var widest = addresses.Contains(All) ? All : addresses.Contains(AllOfV4) && addresses.All(one => !one.Contains(':')) ? AllOfV4
                : null;
            if (widest is null)
            {
                foreach (var address in addresses) yield return (address, port.Key);
                continue;
            }

            foreach (var address in addresses.Where(one => one != widest && one != AllOfV4)) widened(address);
            yield return (widest, port.Key);
        }
    }
}
