namespace Portico.Core.Options;

/// <summary>One element of <c>policy</c>.</summary>
public sealed class PolicyRuleOptions
{
    /// <summary>Kind of rule.</summary>
    [Option("inTable: only clients whose key is in the table pass. notInTable: only those whose key is not in it. "
            + "maxConnections: at most limit clients at a time have the same keys. Needed.",
        OneOf = ["inTable", "notInTable", "maxConnections"], Example = "\"maxConnections\"", Needed = true, TakesEffect = TakesEffect.Live)]
    public string? Rule { get; set; }

    /// <summary>Key of a table's rule.</summary>
    [Option("inTable, notInTable: what is looked up in the table. port_name: the listener's name. tls_domain: the host that a "
            + "fake-TLS client names. client_ipv4, client_ipv6: its address. client_ipv4_subnet/1 to /32, client_ipv6_subnet/9 to /128: "
            + "so many leading bits of it.",
        Example = "\"tls_domain\"", TakesEffect = TakesEffect.Live)]
    public string? Key { get; set; }

    /// <summary>Keys of a limit.</summary>
    [Option("maxConnections: the keys that are counted together, named as in key.",
        Example = """["port_name", "client_ipv4"]""", TakesEffect = TakesEffect.Live)]
    public string[] Keys { get; set; } = [];

    /// <summary>Table.</summary>
    [Option("inTable, notInTable: a name in tables.", Example = "\"banned\"", TakesEffect = TakesEffect.Live)]
    public string? Table { get; set; }

    /// <summary>Limit.</summary>
    [Option("maxConnections: clients at a time with the same keys; one more is refused.",
        Minimum = 1, Maximum = 10000000, Example = "15", TakesEffect = TakesEffect.Live)]
    public int? Limit { get; set; }
}
