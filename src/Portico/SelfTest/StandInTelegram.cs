using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Portico.Core.Options;
using Portico.Protocol.TelegramConfig;

namespace Portico.SelfTest;

/// <summary>
/// All of Telegram that a proxy meets, on loopback: a data centre,
/// a middle proxy for each id, and the site that says where these are.
/// </summary>
internal sealed class StandInTelegram : IAsyncDisposable
{
    private const int SecretLength = 128;

    // Direct mode takes the negative of an id for that id.
    private static readonly int[] DirectIds = [1, 2, 3, 4, 5, 203, 10001, 10002, 10003];

    private readonly StandInServer _dc;
    private readonly ImmutableArray<StandInServer> _middleProxies;
    private readonly StandInServer _site;
    private readonly SemaphoreSlim _links = new(0);
    private readonly DirectoryInfo _directory = System.IO.Directory.CreateTempSubdirectory("portico-selftest-");

    private StandInTelegram(StandInFault fault)
    {
        var secret = MiddleProxySecret.TryCreate(RandomNumberGenerator.GetBytes(SecretLength), out var random)
            ? random
            : throw new InvalidOperationException("a secret of 128 bytes is none");
        _dc = StandInServer.Start(new StandInDc(fault).ServeAsync);
        _middleProxies =
            [.. DcIds.Select(dc => StandInServer.Start(new StandInMiddleProxy(dc, secret, fault, () => _links.Release()).ServeAsync))];
        var list = new ProxyConfigDocument(DcIds[0], DcIds.Zip(_middleProxies, (dc, server) => (dc, server.Endpoint)));
        _site = StandInServer.Start(new StandInSite(secret, list).ServeAsync);
    }

    /// <summary>
    /// What clients may ask for. Negative = media, 203 = CDN, above 10000 = test servers. None of them is unknown,
    /// so the proxy must hand them on as they are, and in middle mode each leads to an address of its own.
    /// </summary>
    public static ImmutableArray<short> DcIds { get; } = [1, 2, 3, 4, 5, -1, -2, -3, -4, -5, 203, 10002];

    /// <summary>How the data centre is reached.</summary>
    public DirectSettings Direct =>
        new() { Endpoints = DirectIds.ToImmutableDictionary(id => id, _ => ImmutableArray.Create(_dc.Endpoint)) };

    /// <summary>How the middle proxies are found.</summary>
    public MiddleProxySettings Middle => new()
    {
        SecretUrl = StandInSite.SecretUrl(_site.Endpoint),
        ConfigUrl = StandInSite.ListUrl(_site.Endpoint),
        ConfigV6Url = null,
        ExternalV4 = IPAddress.Loopback,
        IpLookupServices = [],
    };

    /// <summary>Where a proxy may keep what it downloads: not where this machine's real one does.</summary>
    public string Directory => _directory.FullName;

    /// <summary>Starts all of it.</summary>
    /// <exception cref="SocketException">This machine has no loopback to listen on.</exception>
    public static StandInTelegram Start(StandInFault fault) => new(fault);

    /// <summary>
    /// Waits until one proxy has every link that it opens at start, so that the checks' deadlines are
    /// about what clients do. Gives up without a word: a client that misses a link will say so.
    /// </summary>
    public async Task UntilLinkedAsync(TimeSpan patience, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(patience);
        try
        {
            for (var left = DcIds.Length * Middle.InitialConnections; left > 0; left--) await _links.WaitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _site.DisposeAsync();
        foreach (var middleProxy in _middleProxies) await middleProxy.DisposeAsync();
        await _dc.DisposeAsync();
        _links.Dispose();
        _directory.Delete(recursive: true);
    }
}
