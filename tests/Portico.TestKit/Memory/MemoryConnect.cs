using System.Net;
using System.Net.Sockets;

namespace Portico.TestKit.Memory;

/// <summary>What becomes of the proxy's attempts to connect to an address.</summary>
public enum ConnectAnswer
{
    /// <summary>Through at once.</summary>
    Accept,

    /// <summary>RST.</summary>
    Refuse,

    /// <summary>Nothing comes back until the test says so.</summary>
    Silence,

    /// <summary>There is no socket to be had, the attempt does not even begin.</summary>
    NoSocket,
}

/// <summary>One attempt of the proxy to connect.</summary>
internal sealed class MemoryConnect(IPEndPoint address, MemoryPeer peer, long atMs)
{
    public IPEndPoint Address => address;

    /// <summary>The far end, useful once the connection stands.</summary>
    public MemoryPeer Peer => peer;

    /// <summary>When it began, on the clock of the loop.</summary>
    public long AtMs => atMs;

    /// <summary>It has been answered.</summary>
    public bool IsDecided { get; private set; }

    /// <summary>The proxy gave it up or closed the connection.</summary>
    public bool IsReleased => peer.IsReleased;

    public void Succeed() => End(SocketError.Success);

    public void Fail(SocketError error) => End(error);

    private void End(SocketError result)
    {
        IsDecided = true;
        peer.Channel!.EndConnect(result);
    }
}
