using System.Text.Json.Nodes;

namespace Portico.Import;

/// <summary>A user that is to be written.</summary>
internal sealed class DraftUser(string name, string secret)
{
    public string Name => name;

    public string Secret => secret;

    public string? AdTag { get; set; }

    public string? Domain { get; set; }

    public bool Enabled { get; set; } = true;

    /// <summary>Nothing of it: it holds a secret.</summary>
    public override string ToString() => nameof(DraftUser);
}

/// <summary>
/// Users that are to be written, under names that ours may have. Two with the same secret are one link, and therefore one user.
/// </summary>
internal sealed class DraftUsers
{
    private readonly List<DraftUser> _users = [];
    private readonly Dictionary<string, DraftUser> _bySecret = new(StringComparer.OrdinalIgnoreCase);
    private readonly Labels _names = new();

    public int Count => _users.Count;

    public IEnumerable<DraftUser> All => _users;

    /// <summary>Adds one.</summary>
    /// <param name="name">As the other proxy has it.</param>
    /// <param name="secret">32 hexadecimal digits.</param>
    /// <param name="line">Where it stands.</param>
    /// <param name="key">For remarks.</param>
    /// <param name="conversion">Is told what differs.</param>
    public DraftUser Add(string name, string secret, int line, string key, Conversion conversion)
    {
        if (_bySecret.TryGetValue(secret, out var same))
        {
            conversion.Remark(line, key, $"has the secret of {same.Name}: the link is the same, and one user has it");
            return same;
        }

        var ours = _names.Take(name);
        if (ours != name)
            conversion.Remark(line, key, $"is named {ours}, since names have letters, digits, dots, dashes and underscores");
        var user = new DraftUser(ours, secret.ToLowerInvariant());
        _users.Add(user);
        _bySecret.Add(secret, user);
        return user;
    }

    public JsonArray ToJson() => new([.. _users.Select(ToJson)]);

    private static JsonObject ToJson(DraftUser user)
    {
        var json = new JsonObject { ["name"] = user.Name, ["secret"] = user.Secret };
        if (user.AdTag is not null) json["adTag"] = user.AdTag;
        if (user.Domain is not null) json["domain"] = user.Domain;
        if (!user.Enabled) json["enabled"] = false;
        return json;
    }
}
