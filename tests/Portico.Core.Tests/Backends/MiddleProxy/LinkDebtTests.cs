using Portico.Core.Backends.MiddleProxy;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Users;
using Portico.Protocol.Secrets;
using Xunit;

namespace Portico.Core.Tests.Backends.MiddleProxy;

/// <summary>Who pays for a link that is held up, and when: a ledger without a link.</summary>
public class LinkDebtTests
{
    private const int Limit = 100_000;

    private readonly LinkDebt _debt = new(new BackPressureSettings { BytesTotal = Limit });
    private readonly List<Client> _clients = [];
    private long _nowMs = 1000;

    [Fact]
    public void Packets_of_one_byte_are_bounded_by_what_they_cost_in_memory()
    {
        var client = Join("alice", 1);
        var packets = 0;
        while (!Owe(client, 1, 1)) packets++;
        Assert.Equal(DebtLimit.BytesTotal, _debt.Paused);
        Assert.Equal(Limit / (1 + LinkDebt.PacketOverhead), packets);
    }

    [Fact]
    public void A_thousand_packets_are_no_limit_while_their_bytes_are_few()
    {
        var client = Join("alice", 1);
        for (var i = 0; i < 1000; i++) Assert.False(Owe(client, 30, 1));
    }

    [Fact]
    public void Nobody_goes_before_pauses_add_up_to_a_second_and_then_the_largest()
    {
        var (small, large) = (Join("alice", 1), Join("alice", 1));
        Owe(small, 40_000, 1);
        Assert.True(Owe(large, 70_000, 1));
        Assert.Null(VictimAfter(LinkDebt.PatienceMs - 1));
        Assert.Same(large, VictimAfter(1));
    }

    [Fact]
    public void Many_short_pauses_count_as_much_as_one_long_one()
    {
        var (small, large) = (Join("alice", 1), Join("alice", 1));
        Owe(small, 40_000, 1);
        for (var pauses = 0; pauses < 11; pauses++)
        {
            Assert.True(Owe(large, 70_000, 1));
            Assert.Null(VictimAfter(90));
            Assert.True(Pay(large, 70_000, 1));
            Assert.Equal(90, _debt.LastPauseMs);
            _nowMs += 10;
        }

        Assert.True(Owe(large, 70_000, 1));
        Assert.Same(large, VictimAfter(160)); // of 990 some 110 are forgotten
    }

    [Fact]
    public void Pauses_are_forgotten_in_ten_times_their_length()
    {
        var (small, large) = (Join("alice", 1), Join("alice", 1));
        Owe(small, 40_000, 1);
        Owe(large, 70_000, 1);
        Assert.Null(VictimAfter(900));
        Pay(large, 70_000, 1);
        _nowMs += 9000;
        Owe(large, 70_000, 1);
        Assert.Null(VictimAfter(900));
    }

    [Fact]
    public void Who_was_in_a_pause_for_a_second_of_ten_makes_others_wait_no_longer()
    {
        var (small, large) = (Join("alice", 1), Join("alice", 1));
        Owe(small, 40_000, 1);
        Owe(large, 70_000, 1);
        Assert.Null(VictimAfter(999));
        Pay(large, 70_000, 1);
        Owe(large, 70_000, 1);
        Assert.True(_debt.DueMs - _nowMs <= 10);
        Assert.Same(large, VictimAfter(10));
    }

    [Fact]
    public void A_user_that_owes_more_than_half_of_all_pays_at_once_with_its_largest()
    {
        var innocent = Join("bob", 2);
        var deaf = Enumerable.Range(0, 20).Select(i => Join("alice", i + 10)).ToList();
        Owe(innocent, 20_000, 1);
        for (var i = 0; i < 20; i++) Owe(deaf[i], 4_000 + i, 1);
        Assert.True(_debt.IsPaused);
        Assert.Same(deaf[19], VictimAfter(LinkDebt.CulpritPatienceMs));
    }

    [Fact]
    public void An_address_that_owes_more_than_half_of_all_pays_at_once_with_its_largest()
    {
        var innocent = Join("alice", 2);
        var deaf = Enumerable.Range(0, 20).Select(_ => Join("alice", 10)).ToList();
        Owe(innocent, 20_000, 1);
        for (var i = 0; i < 20; i++) Owe(deaf[i], 4_000 + i, 1);
        Assert.Same(deaf[19], VictimAfter(LinkDebt.CulpritPatienceMs));
    }

    [Fact]
    public void A_client_over_its_own_limit_pays_at_once()
    {
        var (quick, slow) = (Join("alice", 1), Join("alice", 1));
        Owe(quick, 60_000, 1);
        slow.IsOverLimit = true;
        Owe(slow, 50_000, 1);
        Assert.Same(slow, VictimAfter(LinkDebt.CulpritPatienceMs));
    }

    [Fact]
    public void The_debt_of_a_user_who_has_the_link_alone_is_no_reason_for_haste()
    {
        var (one, other) = (Join("alice", 1), Join("alice", 1));
        Owe(one, 60_000, 1);
        Owe(other, 50_000, 1);
        Assert.Null(VictimAfter(LinkDebt.PatienceMs - 1));
    }

    [Fact]
    public void Where_packets_are_too_many_the_one_with_most_packets_goes_and_not_the_one_with_the_large_download()
    {
        var debt = new LinkDebt(new BackPressureSettings { BytesTotal = 10_000_000, PacketsTotal = 600 });
        var (download, tiny) = (Join("alice", 1), Join("alice", 1));
        (download.OwedBytes, download.OwedPackets) = (3_000_000, 30);
        (tiny.OwedBytes, tiny.OwedPackets) = (40_000, 600);
        debt.Owe(3_000_000, 30, _nowMs);
        Assert.True(debt.Owe(40_000, 600, _nowMs));
        Assert.Equal(DebtLimit.CountTotal, debt.Paused);
        Assert.Same(tiny, debt.Victim(_clients, _nowMs + LinkDebt.PatienceMs));
    }

    [Fact]
    public void Limits_per_client_count_the_clients_of_the_moment()
    {
        var debt =
            new LinkDebt(new BackPressureSettings { BytesTotal = Limit, BytesPerClient = 1000, PacketsPerClient = 10 }) { Clients = 2 };
        Assert.False(debt.Owe(1800, 1, _nowMs));
        Assert.True(debt.Owe(200, 1, _nowMs));
        Assert.Equal(DebtLimit.BytesPerClient, debt.Paused);
        debt.Clients = 3;
        Assert.True(debt.Pay(0, 0, _nowMs));
    }

    [Fact]
    public void The_next_question_is_always_in_the_future()
    {
        var clients = Enumerable.Range(0, 5).Select(i => Join("alice", i)).ToList();
        foreach (var client in clients) Owe(client, 30_000, 1);
        for (var asked = 0; _debt.Victim(_clients, _nowMs) is null; asked++)
        {
            Assert.True(_debt.DueMs > _nowMs);
            Assert.InRange(asked, 0, 10);
            _nowMs = _debt.DueMs;
        }

        Assert.Equal(1000 + LinkDebt.PatienceMs, _nowMs);
    }

    private Client Join(string user, int address)
    {
        var credential = _clients.Find(client => client.Credential.Name == user)?.Credential
            ?? new Credential(user, ProxySecret.Create("0123456789abcdef"u8));
        var client = new Client(credential, new ClientNetwork((ulong)address, 32));
        _clients.Add(client);
        _debt.Clients = _clients.Count;
        return client;
    }

    private bool Owe(Client client, int bytes, int packets)
    {
        client.OwedBytes += bytes;
        client.OwedPackets += packets;
        return _debt.Owe(bytes, packets, _nowMs);
    }

    private bool Pay(Client client, int bytes, int packets)
    {
        client.OwedBytes -= bytes;
        client.OwedPackets -= packets;
        return _debt.Pay(bytes, packets, _nowMs);
    }

    private IDebtor? VictimAfter(int ms)
    {
        _nowMs += ms;
        return _debt.Victim(_clients, _nowMs);
    }

    private sealed class Client(Credential credential, ClientNetwork network) : IDebtor
    {
        public long OwedBytes { get; set; }

        public int OwedPackets { get; set; }

        public bool IsOverLimit { get; set; }

        public Credential Credential => credential;

        public ClientNetwork Network => network;
    }
}
