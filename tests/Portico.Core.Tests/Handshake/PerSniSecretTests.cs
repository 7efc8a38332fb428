using System.Text;
using Portico.Core.Handshake;
using Portico.Core.Options;
using Portico.Core.Tests.Staging;
using Portico.Core.Users;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Handshake;

/// <summary>A secret of its own for each domain (spec/02 section 9).</summary>
public sealed class PerSniSecretTests : IDisposable
{
    private const string Salt = "a text of our own";

    private readonly Stage _stage = new(
        ClientProtocols.FakeTls | ClientProtocols.Secure, change: settings => settings with { PerSni = PerSniSettings.Of(Salt) });

    public void Dispose()
    {
        _stage.AssertNoFault();
        _stage.Dispose();
    }

    [Fact]
    public void The_derived_secret_signs_the_hello_and_the_flight_and_keys_the_streams()
    {
        var (client, dc) = _stage.Relay(new ClientTraits { Secret = Derived("example.com") });
        client.Say("up"u8);
        dc.Say("down"u8);
        _stage.Run();
        Assert.Equal("up"u8, dc.Text);
        Assert.Equal("down"u8, client.Text);
    }

    [Fact]
    public void The_base_secret_and_that_of_another_domain_are_strangers()
    {
        foreach (var secret in new[] { Stage.Secret, Derived("other.example"), Derived("Example.com") })
        {
            var client = _stage.Call(new ClientTraits { Secret = secret });
            client.Peer.Send(client.Hello);
            _stage.Run();
            Assert.Empty(client.Peer.Take());
            Assert.Equal(PeerEnd.Fin, client.Peer.End);
        }

        Assert.Equal(3, _stage.Metrics.Sum("portico.protocol.error", "reason", "tls_invalid_digest"));
    }

    [Fact]
    public void A_hello_without_a_name_gets_the_alert()
    {
        var hello = HelloBytes.Without(_stage.Call().Hello, 0, Derived("example.com"), (uint)_stage.Time.GetUtcNow().ToUnixTimeSeconds());
        var peer = _stage.CallRaw();
        peer.Send(hello);
        _stage.Run();
        Assert.Equal(TlsAlert.DecodeError.ToArray(), peer.Take());
        Assert.Equal(1, _stage.Metrics.Sum("portico.protocol.error", "reason", "tls_no_sni"));
    }

    [Fact]
    public void Clients_without_tls_keep_the_base_secret()
    {
        var (client, dc) = _stage.Relay(new ClientTraits { IsTls = false });
        client.Say("up"u8);
        _stage.Run();
        Assert.Equal("up"u8, dc.Text);
    }

    [Theory]
    [InlineData(0, 2)]
    [InlineData(103, 2)]
    [InlineData(104, 3)]
    [InlineData(999, 11)]
    public void Among_many_users_derivation_is_part_of_a_trials_price(int user, int slices)
    {
        // 200 us in trials of 1000 + 5/8 n + 600 ns for a hello of n bytes: 104 of 517 bytes.
        var secrets = Enumerable.Range(0, 1000).Select(i => ProxySecret.Create([(byte)i, (byte)(i >> 8), .. new byte[14]])).ToArray();
        var judge = new JudgeMaker(
            _stage.Proxy.Settings.Listeners[0] with
            {
                Credentials = [.. secrets.Select((secret, i) => new Credential($"user{i}", secret))],
            },
            TimeWindow.Default, PerSniSettings.Of(Salt)).Create();
        var hello = _stage.Call(
            new ClientTraits { Secret = PerSniSecret.Derive(Encoding.UTF8.GetBytes(Salt), secrets[user], "example.com"u8) }).Hello;
        var (scratch, progress, taken) = (new byte[Judge.ScratchLength], default(TrialProgress), 1);
        Judgement judgement;
        var now = _stage.Time.GetUtcNow().ToUnixTimeSeconds();
        for (; judge.Decide(hello, scratch, now, ref progress, out judgement) == Verdict.Trying; taken++)
        {
        }

        Assert.Equal(($"user{user}", slices), (judgement.Credential?.Name, taken));
    }

    [Fact]
    public void Trying_derived_secrets_allocates_nothing()
    {
        var judge = new JudgeMaker(_stage.Proxy.Settings.Listeners[0], TimeWindow.Default, PerSniSettings.Of(Salt)).Create();
        var (scratch, hello) = (new byte[Judge.ScratchLength], _stage.Call(new ClientTraits { Secret = Stage.WrongSecret }).Hello);
        Assert.Equal(Verdict.Stranger, Decide());
        var before = GC.GetAllocatedBytesForCurrentThread();
        Decide();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        Verdict Decide()
        {
            var progress = default(TrialProgress);
            return judge.Decide(hello, scratch, 0, ref progress, out _);
        }
    }

    private static ProxySecret Derived(string domain) =>
        PerSniSecret.Derive(Encoding.UTF8.GetBytes(Salt), Stage.Secret, Encoding.UTF8.GetBytes(domain));
}
