using System.Text.Json.Nodes;

namespace Portico.Import;

/// <summary>A listener that is to be written.</summary>
internal sealed class DraftListener
{
    public string? Name { get; set; }

    public string Address { get; set; } = "::";

    public int Port { get; set; }

    public string? Secret { get; set; }

    public string? AdTag { get; set; }

    public DraftUsers Users { get; } = new();

    public IReadOnlyList<string> Protocols { get; set; } = ["fake-tls"];

    public string? Domain { get; set; }

    public string? PublicHost { get; set; }

    public int? PublicPort { get; set; }

    public int? MaxConnections { get; set; }

    public IReadOnlyList<string> Trusted { get; set; } = [];

    /// <summary>Nothing of it: it holds secrets.</summary>
    public override string ToString() => nameof(DraftListener);

    /// <summary>As it is written.</summary>
    public JsonObject ToJson()
    {
        var listener = new JsonObject();
        if (Name is not null) listener["name"] = Name;
        listener["address"] = Address;
        listener["port"] = Port;
        if (Secret is not null) listener["secret"] = Secret;
        if (AdTag is not null) listener["adTag"] = AdTag;
        if (Users.Count > 0) listener["users"] = Users.ToJson();
        listener["protocols"] = new JsonArray([.. Protocols.Select(one => (JsonNode)one)]);
        if (Domain is not null) listener["domain"] = Domain;
        if (PublicHost is not null) listener["publicHost"] = PublicHost;
        if (PublicPort is not null) listener["publicPort"] = PublicPort;
        if (MaxConnections is not null) listener["maxConnections"] = MaxConnections;
        if (Trusted.Count > 0)
            listener["proxyProtocol"] = new JsonObject { ["trusted"] = new JsonArray([.. Trusted.Select(one => (JsonNode)one)]) };
        return listener;
    }
}
