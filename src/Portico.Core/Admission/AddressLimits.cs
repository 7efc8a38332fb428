using Portico.Core.Net;
using Portico.Core.Options;

namespace Portico.Core.Admission;

/// <summary>
/// How many connections one address may have that have shown no secret, on one loop: without it a single
/// machine takes every descriptor and every place at the cover. Nobody is refused; the oldest goes,
/// since it is the one that had the longest time to show something. Takes memory for open connections only.
/// </summary>
/// <remarks>
/// The kernel deals the connections of one address out to the loops,
/// so each loop has its share of the limit and none asks another.
/// </remarks>
internal sealed class AddressLimits
{
    // What a burst leaves behind for the next one; beyond that the collector may have it.
    private const int Kept = 256;

    private readonly int _loops;
    private int _most;
    private bool _countsLoopback;
    private readonly Dictionary<ClientNetwork, AddressQueue> _queues = [];
    private readonly Stack<AddressQueue> _freeQueues = new();
    private readonly Stack<AddressPlace> _freePlaces = new();

    /// <param name="settings">The limit of the whole proxy.</param>
    /// <param name="loops">Number of loops.</param>
    public AddressLimits(LimitSettings settings, int loops)
    {
        _loops = loops;
        Apply(settings);
    }

    /// <summary>On the loop: another limit, for those that come from now on.</summary>
    public void Apply(LimitSettings settings)
    {
        _most = (settings.UnauthenticatedPerAddress + _loops - 1) / _loops;
        _countsLoopback = settings.CountsLoopback;
    }

    /// <summary>Who comes from this machine is a client like others: a forwarder brings it (<c>limits.countsLoopback</c>).</summary>
    public bool CountsLoopback => _countsLoopback;

    /// <summary>Addresses with connections.</summary>
    public int Addresses => _queues.Count;

    /// <summary>Counts a connection that was accepted. If its address has too many now, the oldest of them ends.</summary>
    /// <param name="holder">The connection.</param>
    /// <param name="network">Where it comes from.</param>
    /// <returns>Its place, to be given back; null if it is not counted.</returns>
    public AddressPlace? Enter(IAddressHolder holder, ClientNetwork network)
    {
        if (_most == 0) return null;
        if (!network.IsKnown || (network.IsLoopback && !_countsLoopback)) return null;
        if (!_queues.TryGetValue(network, out var queue))
        {
            queue = _freeQueues.TryPop(out var free) ? free : new AddressQueue();
            queue.Network = network;
            _queues.Add(network, queue);
        }

        var place = _freePlaces.TryPop(out var used) ? used : new AddressPlace();
        place.Holder = holder;
        queue.Append(place);
        while (queue.Count > _most) queue.Oldest!.Holder!.GiveWay(); // more than one after the limit has fallen
        return place;
    }

    /// <summary>The connection has shown a secret, or is gone.</summary>
    public void Leave(AddressPlace place)
    {
        var queue = place.Queue!;
        queue.Remove(place);
        place.Holder = null;
        if (_freePlaces.Count < Kept) _freePlaces.Push(place);
        if (queue.Count > 0) return;
        _queues.Remove(queue.Network);
        if (_freeQueues.Count < Kept) _freeQueues.Push(queue);
    }
}

/// <summary>A connection that counts among those of its address.</summary>
internal interface IAddressHolder
{
    /// <summary>The place is wanted for a newer one: give it back and end.</summary>
    void GiveWay();
}

/// <summary>The place of one connection among those of its address.</summary>
internal sealed class AddressPlace
{
    public IAddressHolder? Holder { get; set; }

    public AddressQueue? Queue { get; set; }

    public AddressPlace? Older { get; set; }

    public AddressPlace? Younger { get; set; }
}

/// <summary>The connections of one address in the order in which they came.</summary>
internal sealed class AddressQueue
{
    private AddressPlace? _youngest;

    public ClientNetwork Network { get; set; }

    public AddressPlace? Oldest { get; private set; }

    public int Count { get; private set; }

    public void Append(AddressPlace place)
    {
        (place.Queue, place.Older, place.Younger) = (this, _youngest, null);
        if (_youngest is null) Oldest = place;
        else _youngest.Younger = place;
        _youngest = place;
        Count++;
    }

    public void Remove(AddressPlace place)
    {
        if (place.Older is null) Oldest = place.Younger;
        else place.Older.Younger = place.Younger;
        if (place.Younger is null) _youngest = place.Older;
        else place.Younger.Older = place.Older;
        (place.Queue, place.Older, place.Younger) = (null, null, null);
        Count--;
    }
}
