using System.Numerics;
using System.Runtime.InteropServices;
using Portico.Core.Net;

namespace Portico.Core.Admission;

/// <summary>
/// One time for each of many networks, in a table of a fixed size that is filled once and never grows: where there is no room, the
/// earliest time goes. Whoever keeps times that lie ahead keeps those that hold for longest, and times that are past take no room.
/// </summary>
/// <remarks>24 bytes for each place. A network has eight places to be in; which ones, nobody outside can tell or choose.</remarks>
internal sealed class NetworkTimes
{
    private const int PerSet = 8;

    private readonly Place[] _places;

    /// <param name="places">How many networks at most, a power of two.</param>
    public NetworkTimes(int places)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(places, PerSet);
        if (!BitOperations.IsPow2(places))
            throw new ArgumentOutOfRangeException(nameof(places), places, "is no power of two");
        _places = new Place[places];
    }

    /// <summary>How many networks at most.</summary>
    public int Capacity => _places.Length;

    /// <summary>The time that was kept of a network; 0 = none is.</summary>
    public long Of(ClientNetwork network)
    {
        foreach (ref readonly var place in SetOf(network))
        {
            if (place.Network == network) return place.Time;
        }

        return 0;
    }

    /// <summary>Keeps a time of a network instead of the one that was kept.</summary>
    public void Set(ClientNetwork network, long time)
    {
        var set = SetOf(network);
        ref var chosen = ref set[0];
        foreach (ref var place in set)
        {
            if (place.Network == network)
            {
                place.Time = time;
                return;
            }

            if (place.Time < chosen.Time) chosen = ref place;
        }

        chosen = new Place { Network = network, Time = time };
    }

    /// <summary>Networks whose time is later. Other threads may ask: each time is read whole, though not all at one instant.</summary>
    public int CountLaterThan(long time)
    {
        var count = 0;
        foreach (ref readonly var place in _places.AsSpan())
        {
            if (place.Time > time) count++;
        }

        return count;
    }

    private Span<Place> SetOf(ClientNetwork network)
    {
        var sets = _places.Length / PerSet;
        return _places.AsSpan((network.GetHashCode() & (sets - 1)) * PerSet, PerSet);
    }

    [StructLayout(LayoutKind.Auto)]
    private struct Place
    {
        public ClientNetwork Network;
        public long Time;
    }
}
