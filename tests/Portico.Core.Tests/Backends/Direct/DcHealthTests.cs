using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Portico.Core.Tests.Staging;
using Portico.TestKit.Diagnostics;
using Portico.TestKit.Memory;
using Xunit;

namespace Portico.Core.Tests.Backends.Direct;

/// <summary>What an operator hears of a data centre that does not answer.</summary>
public sealed class DcHealthTests : IDisposable
{
    private readonly Stage _stage = new();

    public void Dispose()
    {
        _stage.AssertNoFault();
        _stage.Dispose();
    }

    [Fact]
    public void An_outage_is_one_warning_with_its_cause_repeated_once_a_minute_with_a_count_and_a_line_when_it_is_over()
    {
        Answer(ConnectAnswer.Refuse);
        for (var i = 0; i < 20; i++) Come();
        var warning = Assert.Single(Operator());
        Assert.Equal((LogLevel.Warning, "DcUnreachable"), (warning.Level, warning.EventName));
        Assert.Contains("DC 2 of Telegram", warning.Text, StringComparison.Ordinal);
        foreach (var address in new[] { Stage.FirstAddress, Stage.SecondAddress })
            Assert.Contains($"{address} connection refused", warning.Text, StringComparison.Ordinal);

        _stage.Advance(60);
        Come();
        Assert.Equal(2, Operator().Length);
        Assert.Contains("so far 21", Operator()[1].Text, StringComparison.Ordinal);

        Answer(ConnectAnswer.Accept);
        _stage.Relay();
        var back = Assert.Single(Operator().Skip(2), line => line.EventName != "FirstClient");
        Assert.Equal((LogLevel.Information, "DcReachable"), (back.Level, back.EventName));
        Assert.Contains("let go meanwhile: 21", back.Text, StringComparison.Ordinal);
        Assert.Equal(21, _stage.Log.Lines.Count(line => line is { EventName: "SessionClosed", Level: LogLevel.Debug }));
    }

    [Fact]
    public void Media_of_a_data_centre_is_where_it_is()
    {
        Answer(ConnectAnswer.Refuse);
        Come();
        Come(-2);
        Assert.Contains("DC 2 ", Assert.Single(Operator()).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_data_centre_that_does_not_answer_is_told_though_its_clients_leave_first()
    {
        Answer(ConnectAnswer.Silence);
        var client = Send(2);
        _stage.Advance(3);
        client.Peer.Reset();
        _stage.Run();
        Assert.Empty(Operator());

        client = Send(2);
        _stage.Advance(5);
        client.Peer.Reset();
        _stage.Run();
        Assert.Contains($"{Stage.FirstAddress} no answer", Assert.Single(Operator()).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SocketError.TooManyOpenSockets, "NoDescriptors", "RLIMIT_NOFILE")]
    [InlineData(SocketError.NoBufferSpaceAvailable, "NoSocketMemory", "net.ipv4.tcp_mem")]
    [InlineData(SocketError.AddressNotAvailable, "NoLocalPorts", "net.ipv4.ip_local_port_range")]
    public void What_this_machine_lacks_is_not_blamed_on_Telegram(SocketError error, string eventName, string remedy)
    {
        Answer(ConnectAnswer.Silence);
        for (var i = 0; i < 3; i++)
        {
            var before = _stage.Loop.Connects.Count;
            var client = Send(2);
            foreach (var connect in _stage.Loop.Connects.Skip(before).ToList()) connect.Fail(error);
            _stage.Run();
            foreach (var connect in _stage.Loop.Connects.Skip(before).Where(connect => !connect.IsDecided)) connect.Fail(error);
            _stage.Run();
            client.Peer.Finish();
            _stage.Run();
        }

        Assert.Equal(3, _stage.Metrics.Closed.Count(reason => reason == "dc_connect_failed (telegram)"));
        var warning = Assert.Single(Operator());
        Assert.Equal((LogLevel.Warning, eventName), (warning.Level, warning.EventName));
        Assert.Contains(remedy, warning.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_an_IPv6_address_of_ours_a_data_centre_is_unreachable_all_the_same()
    {
        Answer(ConnectAnswer.Silence);
        var client = Send(2);
        _stage.Loop.Connects[0].Fail(SocketError.ConnectionRefused);
        _stage.Run();
        _stage.Loop.Connects[1].Fail(SocketError.AddressNotAvailable);
        _stage.Run();
        client.Peer.Finish();
        _stage.Run();
        Assert.Equal("DcUnreachable", Assert.Single(Operator()).EventName);
    }

    private LogLine[] Operator() => [.. _stage.Log.Lines.Where(line => line.Level > LogLevel.Debug)];

    private void Answer(ConnectAnswer answer)
    {
        foreach (var address in new[] { Stage.FirstAddress, Stage.SecondAddress }) _stage.Loop.Answer(address, answer);
    }

    private StageClient Send(short dc)
    {
        var client = _stage.Call(new ClientTraits { Dc = dc });
        client.Peer.Send([.. client.Hello, .. client.Header]);
        _stage.Run();
        return client;
    }

    private void Come(short dc = 2)
    {
        Send(dc).Peer.Finish();
        _stage.Run();
    }
}
