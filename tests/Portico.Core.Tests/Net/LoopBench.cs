using Portico.Core.Net;
using Portico.TestKit.Memory;
using Portico.TestKit.Time;

namespace Portico.Core.Tests.Net;

/// <summary>A loop on the memory engine without a proxy: connected channels with owners that write down what they hear.</summary>
internal sealed class LoopBench : IAcceptor
{
    private Channel? _accepted;

    public LoopBench(int? seed = null)
    {
        Engine = new MemoryEngine(new ManualTime(), seed);
        Engine.Listen(new(System.Net.IPAddress.Loopback, 0), this);
        Run();
    }

    public MemoryEngine Engine { get; }

    public MemoryLoop Loop => Engine.Loop;

    /// <summary>An accepted channel whose first event is over.</summary>
    public MemoryChannel Channel(IChannelOwner? owner = null)
    {
        Engine.Call();
        Run();
        var channel = (MemoryChannel)_accepted!;
        channel.Owner = owner ?? new NotingOwner();
        return channel;
    }

    public void Run() => Loop.RunUntilIdle();

    public void OnAccepted(Channel channel)
    {
        channel.Owner = new NotingOwner();
        _accepted = channel;
    }

    public void OnAcceptPaused(string error)
    {
    }
}

/// <summary>Counts what it hears, and does what the test wants then.</summary>
internal sealed class NotingOwner : IChannelOwner
{
    public int Events { get; private set; }

    public int Deadlines { get; private set; }

    public List<Exception> Faults { get; } = [];

    public Action<Channel>? Ready { get; set; }

    public Action<Channel>? Deadline { get; set; }

    public void OnReady(Channel channel)
    {
        Events++;
        Ready?.Invoke(channel);
    }

    public void OnDeadline(Channel channel)
    {
        Deadlines++;
        Deadline?.Invoke(channel);
    }

    public void OnShutdown(Channel channel) => channel.Close();

    public void OnFault(Exception error) => Faults.Add(error);
}
