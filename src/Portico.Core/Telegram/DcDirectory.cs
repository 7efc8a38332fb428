using System.Collections.Frozen;
using Portico.Core.Options;
using Portico.Protocol.TelegramConfig;

namespace Portico.Core.Telegram;

/// <summary>Where the data centres are: the built-in table of spec/04 section 1 with the operator's overrides on top.</summary>
internal sealed class DcDirectory
{
    private readonly FrozenDictionary<int, DcAddresses> _known;
    private readonly int _defaultDc;

    public DcDirectory(DirectSettings settings)
    {
        _defaultDc = settings.DefaultDc;
        var known = DcTable.BuiltIn.ToDictionary(entry => entry.Key, entry => new DcAddresses(entry.Key, entry.Value, settings.PreferIPv6));
        foreach (var (dc, addresses) in settings.Endpoints) known[dc] = new DcAddresses(dc, addresses, settings.PreferIPv6);
        known.TryAdd(_defaultDc, new DcAddresses(_defaultDc, [], settings.PreferIPv6));
        _known = known.ToFrozenDictionary();
    }

    /// <summary>Whether there are addresses for this id, or for the data centre whose media it stands for.</summary>
    public bool Reaches(short wanted) =>
        (_known.TryGetValue(wanted, out var addresses) || _known.TryGetValue(Math.Abs((int)wanted), out addresses)) && addresses.Count > 0;

    /// <summary>Addresses for the id that a client gave, by the rules of spec/04 section 2; unknown ones lead to the default DC.</summary>
    /// <param name="wanted">Signed id; 0 = the client did not say.</param>
    /// <param name="used">The id to name to the DC: the client's own, or the default.</param>
    public DcAddresses Find(short wanted, out short used)
    {
        used = wanted;
        if (wanted != 0 && (_known.TryGetValue(wanted, out var addresses) || _known.TryGetValue(Math.Abs((int)wanted), out addresses)))
            return addresses;
        used = (short)_defaultDc;
        return _known[_defaultDc];
    }
}
