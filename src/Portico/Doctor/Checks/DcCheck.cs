using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Portico.Core.Options;
using Portico.Protocol;
using Portico.Protocol.Mtproto;
using Portico.Protocol.Obfuscation;
using Portico.Protocol.TelegramConfig;
using Portico.SelfTest;

namespace Portico.Doctor.Checks;

/// <summary>
/// Does each data centre answer, by each family? Not a bare connection, which many a network answers in Telegram's stead: req_pq, and resPQ
/// with its nonce.
/// </summary>
internal sealed class DcCheck(ProxySettings settings, NetworkAccess access) : ICheck
{
    private const string Blocked = "this machine's network or provider blocks Telegram there: "
        + "ask it, take another one, or use backend.mode \"middle\"";

    public string Name => "telegram";

    public async Task<IReadOnlyList<Finding>> RunAsync(CancellationToken stop)
    {
        if (settings.Listeners.SelectMany(listener => listener.Credentials).All(settings.GoesThroughMiddleProxy))
            return [Diagnoses.DcUnused.Found("no client goes to a data centre directly")];
        var addresses = Addresses();
        var asked = addresses.Where(address => access.MayAsk(address.Endpoint.Address)).ToArray();
        var answers = await NetworkAccess.AskAllAsync(
            asked, async address => (address.Dc, address.Endpoint, Contact: await AskAsync(address.Endpoint, address.Dc, stop)), stop);
        // The best of the addresses of a data centre counts: a proxy tries all of them.
        var results = answers.GroupBy(answer => (answer.Dc, answer.Endpoint.AddressFamily))
            .Select(group => new Result(group.Key.Dc, group.Key.AddressFamily, group.Min(answer => answer.Contact)))
            .OrderBy(result => Math.Abs((int)result.Dc)).ThenByDescending(result => result.Dc).ToArray();
        var findings = Judge(results).ToList();
        if (asked.Length < addresses.Length)
            findings.Add(Diagnoses.Offline.Found("data centres outside this machine were not asked"));
        return findings;
    }

    // The overrides as they stand there, and what the built-in table has for clients: not the test site's.
    private ImmutableArray<(short Dc, IPEndPoint Endpoint)> Addresses()
    {
        var known = DcTable.BuiltIn.Where(entry => !DcTable.IsTest((short)entry.Key))
            .ToDictionary(entry => entry.Key, entry => entry.Value);
        foreach (var (dc, endpoints) in settings.Direct.Endpoints) known[dc] = endpoints;
        return [.. known.SelectMany(entry => entry.Value.Select(endpoint => ((short)entry.Key, Unmapped(endpoint))))];
    }

    private static IPEndPoint Unmapped(IPEndPoint endpoint) =>
        endpoint.Address.IsIPv4MappedToIPv6 ? new(endpoint.Address.MapToIPv4(), endpoint.Port) : endpoint;

    private async Task<Contact> AskAsync(IPEndPoint endpoint, short dc, CancellationToken stop)
    {
        var (socket, contact) = await access.TryDialAsync(endpoint, stop);
        if (socket is null) return contact;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(access.Patience);
        using var connection = Introduced(socket, dc);
        try
        {
            var nonce = RandomNumberGenerator.GetBytes(PqMessage.NonceLength);
            await connection.SendAsync(PqCheck.Request(isMulti: true, nonce), limit.Token);
            var answer = await connection.ReceiveAsync(limit.Token);
            return answer is not null && PqCheck.FaultOf(answer, nonce) is null ? Contact.Answers : Contact.Wrong;
        }
        catch (Exception problem) when (problem is SocketException or CheckFailedException)
        {
            return Contact.Wrong;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return Contact.Silent;
        }
    }

    private static PacketConnection Introduced(Socket socket, short dc)
    {
        Span<byte> header = stackalloc byte[ObfuscatedHeader.Length];
        do RandomNumberGenerator.Fill(header);
        while (ObfuscatedHeader.HasForbiddenStart(header));
        ObfuscatedHeader.Write(header, secret: null, Transport.Padded, dc, out var streams);
        return new PacketConnection(
            new SocketWay(socket), PacketEnd.Client, Transport.Padded, streams.ServerToClient, streams.ClientToServer, isTls: false)
        {
            Header = header,
        };
    }

    private static IEnumerable<Finding> Judge(Result[] results)
    {
        if (results.Length == 0) yield break;
        if (results.All(result => !result.IsGood))
        {
            yield return Diagnoses.DcNone.Found(
                $"no data centre answers ({Reasons(results)}): nobody can be relayed", Blocked);
            yield break;
        }

        var deadFamilies = new List<AddressFamily>();
        foreach (var family in results.GroupBy(result => result.Family).OrderBy(group => group.Key))
        {
            var good = family.Count(result => result.IsGood);
            if (good > 0)
            {
                yield return Diagnoses.DcAnswers.Found($"{WordOf(family.Key)}: {good} of {family.Count()} data centres answer");
                continue;
            }

            deadFamilies.Add(family.Key);
            yield return family.All(result => result.Contact == Contact.Unreachable)
                ? Diagnoses.DcNoFamily.Found($"{WordOf(family.Key)}: this machine has no way there; the other family serves")
                : Diagnoses.DcFamilyDead.Found(
                    $"{WordOf(family.Key)}: no data centre answers ({Reasons(family)}): "
                        + "where it is preferred, each connection begins with an attempt in vain",
                    $"mend this machine's {WordOf(family.Key)}, or leave backend.preferIPv6 at the family that works");
        }

        foreach (var dc in results.Where(result => !deadFamilies.Contains(result.Family)).GroupBy(result => result.Dc))
        {
            if (dc.All(result => result.IsGood)) continue;
            var bad = dc.First(result => !result.IsGood);
            if (results.Any(result => result.Dc == dc.Key && result.IsGood))
            {
                yield return Diagnoses.DcOneFamily.Found(
                    $"data centre {dc.Key}: {WordOf(bad.Contact)} over {WordOf(bad.Family)}, answers over the other family",
                    "nothing while the other one works; then ask this machine's provider");
                continue;
            }

            var text = $"data centre {dc.Key}: {WordOf(bad.Contact)}: accounts that live there cannot connect";
            yield return bad.Contact switch
            {
                Contact.Refused => Diagnoses.DcRefused.Found(text, Cure(dc.Key, "a firewall refuses it, or its address is wrong")),
                Contact.Silent => Diagnoses.DcSilent.Found(text, Cure(dc.Key, "something on the way drops it")),
                Contact.Unreachable => Diagnoses.DcUnreachable.Found(text, Cure(dc.Key, "this machine has no route to it")),
                _ => Diagnoses.DcWrong.Found(text, Cure(dc.Key, "something else answers in its stead")),
            };
        }
    }

    private static string Cure(short dc, string cause) =>
        $"{cause}: see `curl -v telnet://ADDRESS:443`, this machine's firewall, its provider, "
        + $"and backend.direct.endpoints.{dc} if you set it";

    private static string Reasons(IEnumerable<Result> results) =>
        string.Join(", ", results.GroupBy(result => result.Contact).Select(group => $"{group.Count()} {WordOf(group.Key)}"));

    private static string WordOf(AddressFamily family) => family == AddressFamily.InterNetworkV6 ? "IPv6" : "IPv4";

    private static string WordOf(Contact contact) => contact switch
    {
        Contact.Refused => "refused",
        Contact.Silent => "silent",
        Contact.Unreachable => "unreachable",
        Contact.Wrong => "not Telegram's answer",
        _ => "answers",
    };

    private readonly record struct Result(short Dc, AddressFamily Family, Contact Contact)
    {
        public bool IsGood => Contact == Contact.Answers;
    }
}
