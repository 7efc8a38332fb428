using System.CommandLine;
using Portico.Commands;
using Portico.Core.Control;

namespace Portico.Questions;

/// <summary><c>portico status</c>: how the running proxy is.</summary>
internal static class StatusCommand
{
    public static Command Create(CommonOptions common)
    {
        var admin = new AdminOptions(common);
        var command = new Command("status", "Show how the running proxy is: listeners, data centres, cover, memory.");
        admin.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            using var client = admin.Connect(parsed);
            var output = parsed.InvocationConfiguration.Output;
            var body = await client.GetAsync("/api/status", cancel);
            if (admin.WantsJson(parsed)) output.WriteLine(body);
            else Write(output, client.Read(body, AnswersJson.Default.ProxyStatus), TimeProvider.System.GetUtcNow());
            return ExitCode.Ok;
        });
        return command;
    }

    private static void Write(TextWriter output, ProxyStatus status, DateTimeOffset now)
    {
        var up = Tables.Duration(TimeSpan.FromSeconds(status.UptimeSeconds));
        output.WriteLine(
            $"Portico {status.Version}, {status.State} for {up}; mode {status.Mode}; {Tables.Number(status.Sessions)} connections");
        if (!status.NotReady.IsEmpty)
            output.WriteLine($"not ready: {string.Join(", ", status.NotReady)}");
        output.WriteLine();
        WriteListeners(output, status);
        if (!status.Dcs.IsEmpty) WriteDcs(output, status);
        WriteCover(output, status.Cover, now);
        if (status.MiddleProxies is { } middle)
        {
            var seen = string.Join(" and ", new[] { middle.ExternalV4, middle.ExternalV6 }.OfType<string>());
            output.WriteLine($"middle proxies: {middle.Source}, as of {Tables.Ago(middle.AsOf, now)}; "
                + (seen.Length > 0 ? $"this machine is seen as {seen}" : "as what this machine is seen is not known"));
        }

        output.WriteLine($"memory: {status.Memory.Level}, {Of(status.Memory.UsedBytes, status.Memory.LimitBytes)}");
        var most = status.Descriptors.Limit is { } limit ? Tables.Number(limit) : "any number";
        output.WriteLine($"descriptors: {Tables.Number(status.Descriptors.Open)} of {most}");
        var replay = status.Replay;
        output.WriteLine(
            $"remembered clients: {Tables.Number(replay.Items)}, {Tables.Bytes(replay.Bytes)}, {Tables.Bytes(replay.DiskBytes)} on disk"
            + (replay.Unsaved > 0 ? $", {Tables.Number(replay.Unsaved)} could not be written" : ""));
    }

    private static void WriteListeners(TextWriter output, ProxyStatus status)
    {
        Tables.Write(
            output,
            [
                "listener", "address", ">clients", ">limit", ">coming in", ">at the cover", ">users", ">clients so far",
                ">strangers so far", ">received", ">sent",
            ],
            status.Listeners.Select(it => (string[])
            [
                it.Name, it.Address, Tables.Number(it.Relaying), Tables.Number(it.MaxConnections), Tables.Number(it.Handshake),
                Tables.Number(it.Cover), Tables.Number(it.Users), Tables.Number(it.Clients), Tables.Number(it.Strangers),
                Tables.Bytes(it.ReceivedBytes), Tables.Bytes(it.SentBytes),
            ]));
        output.WriteLine();
    }

    private static void WriteDcs(TextWriter output, ProxyStatus status)
    {
        Tables.Write(
            output, [">dc", "state", ">direct", ">links", ">on links", ">received", ">sent"],
            status.Dcs.Select(it => (string[])
            [
                Tables.Number(it.Dc), it.Reachable ? "reachable" : "not reachable", Tables.Number(it.Connections), Tables.Number(it.Links),
                Tables.Number(it.LinkClients), Tables.Bytes(it.ReceivedBytes), Tables.Bytes(it.SentBytes),
            ]));
        output.WriteLine();
    }

    private static void WriteCover(TextWriter output, CoverStatus cover, DateTimeOffset now)
    {
        if (cover.Mode == "off")
        {
            output.WriteLine("cover: off; a stranger sees a connection that closes");
            return;
        }

        output.WriteLine($"cover: {cover.Target ?? cover.Mode}, {(cover.Reachable ? "reachable" : "not reachable")}, "
            + $"{Tables.Number(cover.Visitors)} of {Tables.Number(cover.MaxVisitors)} visitors");
        foreach (var flight in cover.Flights)
        {
            var learnt = flight.LearnedAt is { } at ? $"answer learnt {Tables.Ago(at, now)}" : "answer not learnt yet";
            var more = new[] { learnt, flight.Problem }.OfType<string>().Concat(flight.Notices);
            output.WriteLine($"  {flight.Domain}: {string.Join("; ", more)}");
        }
    }

    private static string Of(long used, long limit) =>
        limit > 0 ? $"{Tables.Bytes(used)} of {Tables.Bytes(limit)}" : $"{Tables.Bytes(used)} of an unknown amount";
}
