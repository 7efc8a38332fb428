using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Portico.Core.Backends.Direct;
using Portico.Core.Clients;
using Portico.Core.Options;
using Portico.Core.Tests.Staging;
using Portico.Core.Users;
using Portico.Protocol.Secrets;
using Xunit;

namespace Portico.Core.Tests.Handshake;

public class HandshakeAllocationTests
{
    private const int Budget = 256, BurstLength = 1000, BurstBudget = 400;

    /// <summary>
    /// Sessions are let in one after the other; the cheapest counts,
    /// because now and then one meets an empty pool of points or a table that grows.
    /// </summary>
    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 1)]
    [InlineData(true, 500)]
    [InlineData(false, 500)]
    public void Letting_a_client_in_allocates_the_session_and_at_most_256_bytes(bool isTls, int users)
    {
        using var stage = new Stage(
            ClientProtocols.FakeTls | ClientProtocols.Secure, change: settings => WithUsers(settings, users), isSilent: true);
        var own = SizeOf<ClientSession>() + SizeOf<DirectRelay>();
        var least = long.MaxValue;
        for (var i = 0; i < 300; i++)
        {
            var client = stage.Call(new ClientTraits { IsTls = isTls });
            client.Peer.ReadsAtOnce = false;
            var header = client.Header;
            var before = GC.GetAllocatedBytesForCurrentThread() - stage.Loop.OwnAllocations;
            if (isTls)
            {
                client.Peer.Send(client.Hello);
                stage.Run();
            }

            client.Peer.Send(header);
            stage.Run();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - stage.Loop.OwnAllocations - before);
            Assert.True(stage.LatestDc().IsGreeted);
            client.Peer.Reset();
            stage.Run();
        }

        Assert.InRange(least, own, own + Budget);
    }

    /// <summary>The second burst counts: the first has filled the pools.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_burst_of_a_thousand_allocates_at_most_400_bytes_beside_each_session(bool isTls)
    {
        using var stage = new Stage(
            ClientProtocols.FakeTls | ClientProtocols.Secure,
            change: settings => settings with { Limits = settings.Limits with { UnauthenticatedPerAddress = 0 } }, isSilent: true);
        var own = SizeOf<ClientSession>() + SizeOf<DirectRelay>();
        Burst(stage, isTls);
        Assert.InRange(Burst(stage, isTls) / BurstLength, 0, own + BurstBudget);
        Assert.Equal(BurstLength, stage.Services.Handshakes.Count);
        stage.Advance(130);
        Assert.InRange(stage.Services.Handshakes.Count, 1, 64);
    }

    private static long Burst(Stage stage, bool isTls)
    {
        var clients = Enumerable.Range(0, BurstLength).Select(_ => stage.Call(new ClientTraits { IsTls = isTls })).ToList();
        var headers = clients.ConvertAll(client => client.Header);
        foreach (var client in clients) client.Peer.ReadsAtOnce = false;
        var before = GC.GetAllocatedBytesForCurrentThread() - stage.Loop.OwnAllocations;
        stage.Run();
        foreach (var client in clients.Where(_ => isTls)) client.Peer.Send(client.Hello);
        stage.Run();
        for (var i = 0; i < BurstLength; i++) clients[i].Peer.Send(headers[i]);
        stage.Run();
        var allocated = GC.GetAllocatedBytesForCurrentThread() - stage.Loop.OwnAllocations - before;
        foreach (var client in clients) client.Peer.Reset();
        stage.Run();
        return allocated;
    }

    // The client's secret is the last: trials take several turns.
    private static ProxySettings WithUsers(ProxySettings settings, int users)
    {
        var others = Enumerable.Range(1, users - 1)
            .Select(i => new Credential($"user{i}", ProxySecret.Create(RandomNumberGenerator.GetBytes(ProxySecret.Length))));
        var listener = settings.Listeners[0];
        return settings with { Listeners = [listener with { Credentials = [.. others, .. listener.Credentials] }] };
    }

    private static long SizeOf<T>()
        where T : class
    {
        RuntimeHelpers.GetUninitializedObject(typeof(T));
        var before = GC.GetAllocatedBytesForCurrentThread();
        RuntimeHelpers.GetUninitializedObject(typeof(T));
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
