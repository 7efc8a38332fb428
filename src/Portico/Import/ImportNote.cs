using Portico.Core.Options;

namespace Portico.Import;

/// <summary>Something to say about a key of another proxy's file.</summary>
/// <param name="Line">Where it stands, from 1; 0 = nowhere: it is missing.</param>
/// <param name="Key">The key; empty = the file as a whole.</param>
/// <param name="Text">What there is to say, without what the file says: that may be a secret.</param>
internal sealed record ImportNote(int Line, string Key, string Text)
{
    /// <summary>One line.</summary>
    public override string ToString()
    {
        var key = ShownText.WithoutSecrets(Key);
        var shown = new string([.. key.Length > 80 ? key[..80] + "…" : key]);
        var clean = string.Concat(shown.Select(c => char.IsControl(c) ? '?' : c));
        var place = (Line > 0, clean.Length > 0) switch
        {
            (true, true) => $"line {Line}, {clean}: ",
            (true, false) => $"line {Line} ",
            (false, true) => $"{clean}: ",
            _ => "",
        };
        return place + Text;
    }
}
