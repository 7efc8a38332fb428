namespace Portico.Core.Options;

/// <summary>Section <c>admin</c>.</summary>
public sealed class AdminOptions
{
    /// <summary>Loopback: who may reach it from elsewhere is for the operator to say.</summary>
    [Option("Where the HTTP interface listens: \"address:port\" or \"[v6]:port\". null = not on TCP. If the address is taken, "
            + "the proxy says so and runs without.",
        Example = "\"127.0.0.1:8444\"")]
    public string? Address { get; set; } = "127.0.0.1:8444";

    /// <summary>None: a first start writes a random one.</summary>
    [Option("What a request over TCP must bring, as Authorization: Bearer TOKEN, at least 16 characters. Without one there are only "
            + "/healthz, /readyz and /metrics. A first start writes a random one.",
        Example = "\"e5c1b0f7a94d4c1e8f6a2b3d5c7e9f01\"", Secret = true, LeastLength = AdminToken.LeastLength,
        TakesEffect = TakesEffect.Live)]
    public string? Token { get; set; }

    /// <summary>On: for the commands of the same machine.</summary>
    [Option("The unix socket of the same interface: no token, since only the owner and the group of the file may open it. A relative path "
            + "starts at the directory that holds dataDirectory, or where nothing can be written there, in dataDirectory. null = none.",
        Example = "\"/run/portico/admin.sock\"")]
    public string? Socket { get; set; } = "admin.sock";

    /// <summary>None: a page of another site must not reach it by a name of its own.</summary>
    [Option("Names, beside those of this machine's loopback, by which a request without the token may call the interface.",
        Example = """["proxy.example.org"]""", TakesEffect = TakesEffect.Live)]
    public string[] Hosts { get; set; } = [];

    /// <summary>None: a metric for each user tells whoever reads metrics who there is.</summary>
    [Option("Users with metrics of their own, portico_user_*: so many of those with the most bytes. 0 = none.",
        Minimum = 0, Maximum = 1000)]
    public int UserMetrics { get; set; }
}

/// <summary>Section <c>telemetry</c>.</summary>
public sealed class TelemetryOptions
{
    /// <summary>Nowhere.</summary>
    [Option("A collector of OpenTelemetry that metrics are sent to once a minute, by HTTP. Without a path, /v1/metrics is added.",
        Example = "\"http://127.0.0.1:4318\"")]
    public string? Otlp { get; set; }
}

/// <summary>Section <c>alerts</c>.</summary>
public sealed class AlertOptions
{
    /// <summary>Nobody.</summary>
    [Option("Where alerts are posted as JSON: an address of http or https, whose path and query may hold a token and are never shown.",
        Example = "\"https://hooks.example.org/portico?token=5f1c\"", Secret = true, ShowsHost = true,
        TakesEffect = TakesEffect.Live)]
    public string? Webhook { get; set; }
}
