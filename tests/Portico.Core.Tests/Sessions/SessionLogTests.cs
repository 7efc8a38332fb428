using System.Text;
using Microsoft.Extensions.Logging;
using Portico.Core.Options;
using Portico.Core.Tests.Staging;
using Portico.Core.Users;
using Portico.Protocol.Secrets;
using Portico.TestKit.Diagnostics;
using Xunit;

namespace Portico.Core.Tests.Sessions;

/// <summary>Does it work, and if not, for whom and why? What the log says of sessions.</summary>
public sealed class SessionLogTests : IDisposable
{
    private const int Users = 40;

    private readonly Stage _stage = new(ClientProtocols.FakeTls | ClientProtocols.Secure, change: WithUsers);

    public void Dispose() => _stage.Dispose();

    [Fact]
    public void A_clients_line_tells_its_user_protocol_data_centre_bytes_and_end()
    {
        var (client, dc) = _stage.Relay(new ClientTraits { Secret = SecretOf(7), Dc = -2 });
        client.Say("question"u8);
        _stage.Run();
        dc.Say("answer"u8);
        _stage.Run();
        _stage.Advance(30);
        client.Peer.Finish();
        _stage.Run();
        _stage.Advance(20);
        var line = Assert.Single(Ends());
        Assert.Contains("Session on main closed: client_closed (client) after 3", line, StringComparison.Ordinal);
        Assert.Contains("; a client; user user-7, fake_tls, DC -2; ", line, StringComparison.Ordinal);
        var (received, sent) = (client.Hello.Length + client.Header.Length + 13, client.Flight.Length + 11);
        Assert.Contains($"; {received} bytes from it, {sent} to it", line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_client_without_TLS_is_told_by_its_framing()
    {
        var (client, _) = _stage.Relay(new ClientTraits { IsTls = false });
        client.Peer.Reset();
        _stage.Run();
        Assert.Contains("; a client; user default, secure, DC 2; ", Assert.Single(Ends()), StringComparison.Ordinal);
    }

    [Fact]
    public void Clients_that_fail_are_told_apart()
    {
        var recorded = _stage.Call();
        Send(recorded.Hello);
        AssertLast("a client; user default, -, DC -;");
        Send(recorded.Hello);
        AssertLast("right secret, but seen before; user default,");
        Send(_stage.Call(new ClientTraits { Secret = Stage.WrongSecret }).Hello);
        AssertLast("wrong secret, or a browser; user -, -, DC -;");
        Send(_stage.Call(new ClientTraits { Secret = SecretOf(3), ClockAhead = -3600 }).Hello);
        AssertLast("right secret, but an old hello or a wrong clock; user user-3,");
        Send(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n"));
        AssertLast("not a client, or a wrong secret; user -,");
        Send([0x16, 3, 1, 0, 4, 2, 0, 0, 0]);
        AssertLast("not a hello of any client, too short; user -,");
        Send(recorded.Hello.AsSpan(0, 300));
        AssertLast("undecided; user -,");
    }

    [Fact]
    public void A_hello_for_another_name_is_a_browsers_rather_than_a_clients()
    {
        using var stage = new Stage(
            change: settings => settings with { Listeners = [settings.Listeners[0] with { Domain = "www.example.net" }] });
        var peer = stage.CallRaw();
        peer.Send(stage.Call(new ClientTraits { Secret = Stage.WrongSecret }).Hello);
        peer.Finish();
        stage.Run();
        Assert.Contains("; wrong name and no secret of ours for it; ", stage.Log.Lines.Single(IsEnd).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Users_with_a_domain_of_their_own_are_told_by_their_own_name()
    {
        ProxySettings Change(ProxySettings settings)
        {
            Credential[] users =
            [
                new("zoe", SecretOf(0), Domain: "example.com"), new("adam", SecretOf(1)), new("bea", SecretOf(2), Domain: "a.example.net"),
            ];
            return settings with { Listeners = [settings.Listeners[0] with { Credentials = [.. users], Domain = "www.example.net" }] };
        }

        using var stage = new Stage(change: Change);
        var (client, _) = stage.Relay(new ClientTraits { Secret = SecretOf(0) });
        client.Peer.Reset();
        var stranger = stage.Call(new ClientTraits { Secret = Stage.WrongSecret });
        stranger.Peer.Send(stranger.Hello);
        stranger.Peer.Finish();
        stage.Run();
        string[] ends = [.. stage.Log.Lines.Where(IsEnd).Select(line => line.Text)];
        Assert.Contains("; a client; user zoe, ", ends[0], StringComparison.Ordinal);
        Assert.Contains("; wrong secret, or a browser; ", ends[1], StringComparison.Ordinal);
    }

    [Fact]
    public void At_the_cover_too_the_line_tells_what_was_wrong()
    {
        using var stage = new Stage(change: Stage.WithCover());
        var peer = stage.CallRaw();
        peer.Send(stage.Call(new ClientTraits { ClockAhead = 3600 }).Hello);
        stage.Run();
        stage.Covers.Single().Finish();
        peer.Finish();
        stage.Run();
        var line = stage.Log.Lines.Single(IsEnd).Text;
        Assert.Contains("closed: cover_closed (cover)", line, StringComparison.Ordinal);
        Assert.Contains("; right secret, but an old hello or a wrong clock; user default, ", line, StringComparison.Ordinal);
    }

    [Fact]
    public void The_first_client_of_each_user_since_the_start_is_a_line()
    {
        _stage.Relay();
        _stage.Relay();
        _stage.Advance(2);
        _stage.Relay(new ClientTraits { Secret = SecretOf(1), IsTls = false, Dc = 4 });
        _stage.Relay(new ClientTraits { Secret = SecretOf(1) });
        Assert.Equal(2, Operator().Length);
        Assert.Contains("First client of user default on main since the start: fake_tls, DC 2", Operator()[0], StringComparison.Ordinal);
        Assert.Contains("First client of user user-1 on main since the start: secure, DC 4", Operator()[1], StringComparison.Ordinal);
    }

    [Fact]
    public void When_all_users_come_at_once_there_is_a_line_a_second_and_the_number_of_the_others()
    {
        for (var user = 0; user < Users; user++) _stage.Relay(new ClientTraits { Secret = SecretOf(user) });
        Assert.Single(Operator());
        _stage.Advance(1.1);
        Assert.Equal(2, Operator().Length);
        Assert.Contains($"the first clients of {Users - 1} other users", Operator()[1], StringComparison.Ordinal);
        _stage.Advance(60);
        Assert.Equal(2, Operator().Length);
    }

    [Fact]
    public void Faults_are_a_line_a_second_with_the_number_left_out()
    {
        for (var i = 0; i < 5; i++) Fail();
        Assert.Single(_stage.Log.Errors);
        _stage.Advance(1);
        var lines = _stage.Log.Errors.ToList();
        Assert.Equal(2, lines.Count);
        Assert.All(lines, line => Assert.Equal("SessionFaulted", line.EventName));
        Assert.Contains("(3 more like it)", lines[1].Text, StringComparison.Ordinal);
    }

    private static ProxySettings WithUsers(ProxySettings settings)
    {
        var users = Enumerable.Range(0, Users).Select(user => new Credential($"user-{user}", SecretOf(user)));
        var listener = settings.Listeners[0];
        return settings with { Listeners = [listener with { Credentials = [.. listener.Credentials, .. users] }] };
    }

    private static ProxySecret SecretOf(int user) => ProxySecret.Create(Encoding.ASCII.GetBytes($"secret of user{user:00}"));

    private static bool IsEnd(LogLine line) => line is { EventName: "SessionClosed", Level: LogLevel.Debug };

    private string[] Ends() => [.. _stage.Log.Lines.Where(IsEnd).Select(line => line.Text)];

    private string[] Operator() => [.. _stage.Log.Lines.Where(line => line.Level > LogLevel.Debug).Select(line => line.Text)];

    private void AssertLast(string judged) => Assert.Contains($"; {judged}", Ends()[^1], StringComparison.Ordinal);

    private void Send(ReadOnlySpan<byte> bytes)
    {
        var peer = _stage.CallRaw();
        peer.Send(bytes);
        _stage.Run();
        peer.Finish();
        _stage.Run();
    }

    private void Fail()
    {
        var peer = _stage.CallRaw();
        peer.NextReadThrows = new TimeZoneNotFoundException();
        peer.Send([1]);
        _stage.Run();
    }
}
