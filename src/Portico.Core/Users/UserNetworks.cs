using Portico.Core.Net;

namespace Portico.Core.Users;

/// <summary>
/// The networks that one user's sessions come from. Touched by any loop: when a session is let in, or networks are limited,
/// and when it ends.
/// </summary>
internal sealed class UserNetworks
{
    /// <summary>
    /// A network that has been silent for so long makes room for another: a phone changed from Wi-Fi to the mobile network.
    /// </summary>
    public const int SilentMs = 30_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<ClientNetwork, NetworkPlace> _places = [];

    /// <summary>Networks with a session.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _places.Count;
        }
    }

    /// <summary>A session comes in.</summary>
    /// <param name="network">Known.</param>
    /// <param name="most">Networks at a time.</param>
    /// <param name="nowMs">Clock of the session's loop.</param>
    /// <param name="mustGo">Another network has lost its place: its sessions are to end.</param>
    /// <returns>Its place; null = there are too many, and none is silent.</returns>
    public NetworkPlace? Enter(ClientNetwork network, int most, long nowMs, out bool mustGo)
    {
        mustGo = false;
        lock (_gate)
        {
            if (!_places.TryGetValue(network, out var place))
            {
                // Fewer may be allowed than there were.
                while (_places.Count >= most)
                {
                    var silent = _places.Values.MinBy(it => it.LastMs)!;
                    if (nowMs - silent.LastMs < SilentMs) return null;
                    silent.IsGone = mustGo = true;
                    _places.Remove(silent.Network);
                }

                _places.Add(network, place = new NetworkPlace(this, network));
            }

            place.Sessions++;
            place.Touch(nowMs);
            return place;
        }
    }

    /// <summary>Called by the place.</summary>
    internal void Leave(NetworkPlace place)
    {
        lock (_gate)
        {
            // One that is gone may have come again meanwhile, as another place.
            if (--place.Sessions == 0 && _places.GetValueOrDefault(place.Network) == place)
                _places.Remove(place.Network);
        }
    }
}

/// <summary>One network of a user that has sessions.</summary>
/// <param name="networks">Whose place it is.</param>
/// <param name="network">Its address.</param>
internal sealed class NetworkPlace(UserNetworks networks, ClientNetwork network)
{
    private long _lastMs;
    private bool _isGone;

    public ClientNetwork Network => network;

    /// <summary>Sessions that hold it. Under the lock of the networks.</summary>
    public int Sessions { get; set; }

    /// <summary>When a byte of its last moved, or a session came.</summary>
    public long LastMs => Volatile.Read(ref _lastMs);

    /// <summary>Another network has its place.</summary>
    public bool IsGone
    {
        get => Volatile.Read(ref _isGone);
        set => Volatile.Write(ref _isGone, value);
    }

    /// <summary>A byte moved.</summary>
    public void Touch(long nowMs) => Volatile.Write(ref _lastMs, nowMs);

    /// <summary>A session that entered is gone.</summary>
    public void Leave() => networks.Leave(this);
}
